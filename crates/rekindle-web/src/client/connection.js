// One connection to the server for any number of pages: in the SharedWorker, or in a page that can have none.
// WebSocket, then server-sent events, then polling; what has worked once is tried first from then on.

const PROTOCOL = 'urn:rekindle:live:1';

// The server closes the connection of a client with more.
const MOST_PAGES = 64;

// How long a connection may be silent before it counts as refused: some proxies accept what they do not pass
// on.
const GREETING_MS = 5000;

// A connection that lasted this long was a good one, after which trying again begins anew.
const LASTING_MS = 2000;

// Polls that bring no update are this far apart, whatever the server thinks of it.
const POLL_PAUSE_MS = 500;

// Milliseconds before the next try: under 2 s for the first minute, so that a server that is being built is
// found as soon as it is there; jittered, so that many pages do not come at once.
function backoff(tries, downMs, random) {
    const most = downMs < 60000 ? 1600 : 10000;
    return Math.min(most, 100 * 2 ** Math.min(tries, 10)) * (0.5 + random / 2);
}

// Runs what must not throw: nothing of this may reach the error handlers of the page.
function safely(task) {
    try {
        const result = task();
        if (result instanceof Promise) result.catch(complain);
    } catch (error) {
        complain(error);
    }
}

function complain(error) {
    console.debug('rekindle:', error);
}

// A transport is opened with the connection and what it is to call: `message(parsed)`, `closed()`. It has
// `page(id)` and `gone(id)` to tell the server of a page, or is opened anew for that when it has not, and
// `close()`.
function openSocket(connection, on) {
    const address = connection.address('socket', { token: connection.token });
    address.protocol = address.protocol.replace('http', 'ws');
    const socket = new WebSocket(address.href);
    const send = (message) => socket.readyState === 1 && socket.send(JSON.stringify(message));
    socket.onopen = () => send({ command: 'hello', protocols: [PROTOCOL], token: connection.token });
    socket.onmessage = (event) => safely(() => on.message(JSON.parse(event.data)));
    socket.onclose = () => on.closed();
    return {
        page: (id) => send(connection.pageMessage(id)),
        gone: (id) => send({ command: 'gone', id }),
        close() {
            socket.onclose = socket.onmessage = null;
            socket.close();
        },
    };
}

function openEvents(connection, on) {
    const source = new EventSource(connection.address('events', connection.pagesQuery()).href);
    source.onmessage = (event) => safely(() => on.message(JSON.parse(event.data)));
    source.onerror = () => {
        // Left to itself it would come back with the revisions of long ago.
        source.close();
        on.closed();
    };
    return { close: () => source.close() };
}

function openPolling(connection, on) {
    const abort = new AbortController();
    const { signal } = abort;
    poll(connection, on, signal).catch(() => signal.aborted || on.closed());
    return { close: () => abort.abort() };
}

async function poll(connection, on, signal) {
    while (!signal.aborted) {
        const query = { ...connection.pagesQuery(), problems: connection.problemsVersion };
        const response = await fetch(connection.address('poll', query).href, { cache: 'no-store', signal });
        if (!response.ok) throw new Error(`polling was answered with ${response.status}`);
        const { messages } = await response.json();
        on.message({ command: 'hello' });
        messages.forEach(on.message);
        const news = messages.some((message) => message.updates && message.updates.length);
        if (!news) await new Promise((done) => setTimeout(done, POLL_PAUSE_MS));
    }
}

const TRANSPORTS = [
    { open: openSocket, greets: true },
    { open: openEvents, greets: true },
    // An answer may be held back for as long as there is nothing to tell.
    { open: openPolling, greets: false },
];

class Connection {
    // `base` is the address below which the server's endpoints are; `tell(id, message)` reaches a page.
    constructor(base, tell) {
        this.base = base;
        this.tell = tell;
        this.pages = new Map();
        this.lastId = 0;
        this.token = '';
        this.kind = 0;
        this.worked = false;
        this.refusals = 0;
        this.transport = null;
        this.isOpen = false;
        this.isResting = false;
        this.problems = null;
        this.problemsVersion = '';
        this.tries = 0;
        this.downSince = 0;
        this.timer = 0;
    }

    // A page is there; returns the number by which it is called from now on, or 0 when there are too many.
    //
    // `known(id)` is called before the page is told anything.
    join(page, token, known) {
        if (this.pages.size >= MOST_PAGES) return 0;
        this.lastId += 1;
        const id = this.lastId;
        this.pages.set(id, page);
        known(id);
        if (token) this.token = token;
        if (this.isOpen && this.problems) this.tell(id, { problems: this.problems });
        this.announce(id);
        return id;
    }

    // A page was brought up to date.
    update(id, page) {
        if (!this.pages.has(id)) return;
        this.pages.set(id, page);
        this.announce(id);
    }

    leave(id) {
        if (!this.pages.delete(id)) return;
        if (!this.pages.size) this.stop();
        else if (this.isOpen && this.transport.gone) this.transport.gone(id);
    }

    // Somebody looks at a page, or the network is back: no waiting, and no trust in a connection of before.
    wake(networkChanged) {
        this.isResting = false;
        if (networkChanged) this.restart();
        else if (!this.transport) this.connect();
        else if (this.isOpen && this.transport.page) this.probe();
    }

    // Nobody looks: a browser has few connections of these kinds for all of its tabs. What is missed comes on
    // waking.
    rest() {
        this.isResting = true;
        if (this.kind) this.stop();
    }

    // What the server is told of a page.
    pageMessage(id) {
        return { command: 'page', id, ...this.pages.get(id) };
    }

    pagesQuery() {
        const pages = [...this.pages].map(([id, page]) => ({ id, ...page }));
        return { token: this.token, pages: JSON.stringify(pages) };
    }

    address(name, query) {
        const address = new URL(name, this.base);
        Object.keys(query).forEach((key) => address.searchParams.set(key, query[key]));
        return address;
    }

    announce(id) {
        if (!this.transport) this.connect();
        else if (!this.isOpen) return;
        else if (this.transport.page) this.transport.page(id);
        else this.reopenSoon();
    }

    // Several pages often come at once, as they do when a server was restarted.
    reopenSoon() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.restart(), 20);
    }

    restart() {
        this.drop();
        this.connect();
    }

    stop() {
        this.drop();
        clearTimeout(this.timer);
    }

    drop() {
        clearTimeout(this.deadline);
        if (this.transport) this.transport.close();
        this.transport = this.current = null;
        this.isOpen = false;
    }

    connect() {
        clearTimeout(this.timer);
        if (this.transport || this.renewing || !this.pages.size) return;
        if (this.isResting && this.kind) return;
        if (!this.token) {
            this.renew();
            return;
        }
        const { open, greets } = TRANSPORTS[this.kind];
        if (greets) this.expectMessage();
        // What a transport that was given up still has to say is not heard.
        const mine = {};
        this.current = mine;
        const only = (task) => (argument) => this.current === mine && safely(() => task(argument));
        try {
            const message = only((message) => this.receive(message));
            this.transport = open(this, { message, closed: only(() => this.closed()) });
        } catch (error) {
            this.closed();
        }
    }

    expectMessage() {
        clearTimeout(this.deadline);
        this.deadline = setTimeout(() => safely(() => this.closed()), GREETING_MS);
    }

    // Asks for an answer: a connection may be long dead without a word, as after a computer slept.
    probe() {
        this.expectMessage();
        this.transport.page(this.pages.keys().next().value);
    }

    receive(message) {
        clearTimeout(this.deadline);
        if (!this.isOpen) this.opened();
        if (message.command === 'updates') this.receiveUpdates(message);
        if (message.command === 'problems') this.receiveProblems(message);
    }

    receiveUpdates({ page: id, revision, updates }) {
        const page = this.pages.get(id);
        if (!page) return;
        // Delivered: the page will do it. What is asked for next is what comes after.
        this.pages.set(id, { ...page, revision });
        this.tell(id, { revision, updates });
    }

    receiveProblems({ problems, version = '' }) {
        this.problems = problems;
        this.problemsVersion = version;
        this.tellAll({ problems });
    }

    opened() {
        this.isOpen = true;
        this.worked = true;
        this.refusals = 0;
        this.openedAt = Date.now();
        if (this.downSince) this.tellAll({ connected: true });
        this.downSince = 0;
        if (this.transport.page) [...this.pages.keys()].forEach((id) => this.transport.page(id));
    }

    closed() {
        const wasOpen = this.isOpen;
        this.drop();
        if (wasOpen) this.lost();
        else this.renew();
    }

    lost() {
        if (Date.now() - this.openedAt > LASTING_MS) this.tries = 0;
        this.downSince = Date.now();
        this.tellAll({ connected: false });
        this.retryLater();
    }

    retryLater() {
        if (!this.downSince) this.downSince = Date.now();
        const delay = backoff(this.tries, Date.now() - this.downSince, Math.random());
        this.tries += 1;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => safely(() => this.connect()), delay);
    }

    // Not let in: because nobody is there, because of a token of a run before, or because this transport does
    // not get through. An answer to a plain request tells which.
    async renew() {
        this.renewing = true;
        const token = await this.newToken();
        this.renewing = false;
        if (!token) {
            this.retryLater();
        } else if (token !== this.token) {
            this.token = token;
            this.connect();
        } else {
            this.refused();
        }
    }

    async newToken() {
        try {
            const address = this.address('renew', {}).href;
            const response = await fetch(address, { method: 'POST', cache: 'no-store' });
            return response.ok ? (await response.json()).token : '';
        } catch (error) {
            return '';
        }
    }

    // One that has worked is not given up for a single refusal.
    refused() {
        this.refusals += 1;
        const next = !this.worked || this.refusals > 2;
        if (!next) {
            this.retryLater();
            return;
        }
        this.kind = (this.kind + 1) % TRANSPORTS.length;
        this.refusals = 0;
        this.worked = false;
        if (this.kind) this.connect();
        else this.retryLater();
    }

    tellAll(message) {
        [...this.pages.keys()].forEach((id) => this.tell(id, message));
    }
}
