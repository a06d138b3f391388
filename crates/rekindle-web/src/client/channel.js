// The page's way to the connection: through the SharedWorker, or one of its own where there is none.

// How long the worker may take to answer; one that a policy forbids does not always say so.
const WORKER_MS = 3000;

class Channel {
    // `hear(message)` is called with what concerns the page.
    constructor(base, hear) {
        this.base = base;
        this.hear = (message) => safely(() => hear(message));
        this.port = null;
        this.own = null;
        this.page = null;
        this.isResting = false;
    }

    // The page is there: `page` is its revision and templates, as the server is told of them.
    join(page, token) {
        this.page = page;
        this.token = token;
        if (this.own) this.joinOwn();
        else if (this.port) this.joinWorker();
        else this.startWorker();
    }

    update(page) {
        this.page = page;
        if (this.own) this.own.update(this.id, page);
        else this.post({ update: page });
    }

    leave() {
        if (this.own) this.own.leave(this.id);
        else this.post({ leave: true });
    }

    wake(online) {
        this.isResting = false;
        if (this.own) this.own.wake(online);
        else this.post({ wake: true, online });
    }

    // Nobody looks at the page.
    rest() {
        this.isResting = true;
        if (this.own) this.own.rest();
    }

    post(message) {
        if (this.port) this.port.postMessage(message);
    }

    startWorker() {
        try {
            const address = trusted.createScriptURL(new URL('worker.js', this.base).href);
            const worker = new SharedWorker(address, { name: 'rekindle' });
            this.port = worker.port;
            worker.onerror = (event) => {
                event.preventDefault();
                this.giveUpWorker();
            };
            this.port.onmessage = ({ data }) => this.fromWorker(data);
            this.patience = setTimeout(() => this.giveUpWorker(), WORKER_MS);
            this.joinWorker();
        } catch (error) {
            this.giveUpWorker();
        }
    }

    fromWorker(message) {
        clearTimeout(this.patience);
        if (message.full) this.giveUpWorker();
        else if (!message.ready) this.hear(message);
    }

    // Only once the lock is held: the worker takes it to be told when it is free, and must not be the first.
    joinWorker() {
        if (!this.lock) this.lock = holdLock();
        this.lock.then((lock) => this.post({ join: this.page, token: this.token, lock }));
    }

    giveUpWorker() {
        clearTimeout(this.patience);
        if (this.own) return;
        if (this.port) {
            this.port.onmessage = null;
            this.post({ leave: true });
        }
        this.port = null;
        this.own = new Connection(this.base, (id, message) => this.hear(message));
        if (this.isResting) this.own.rest();
        this.joinOwn();
    }

    joinOwn() {
        this.id = this.own.join(this.page, this.token, () => {});
    }
}

// Resolves with the name of a lock that is held until the page is gone; with none where there are no locks, as on
// pages that are not deemed secure.
function holdLock() {
    if (!navigator.locks) return Promise.resolve('');
    const name = `rekindle ${Date.now()} ${Math.random()}`;
    return new Promise((held) => {
        const hold = () => {
            held(name);
            return new Promise(() => {});
        };
        navigator.locks.request(name, hold).catch(() => held(''));
    });
}
