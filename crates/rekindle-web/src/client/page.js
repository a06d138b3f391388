// The page: takes what the server tells, one thing after the other, and does the least that shows it.

// More reloads than this within this time are the work of a fault, not of people.
const MOST_RELOADS = 6;
const RELOADS_MS = 10000;

const RELOADS_KEY = 'rekindle reloads';
const HEALED_KEY = 'rekindle healed';

// How long a render may take.
const FETCH_MS = 60000;

// What the address of the client's script says: `?TOKEN.REVISION.T1.T2`, and `post` for a page that answers a
// form.
function readTag(address) {
    const [token = '', revision = '', ...rest] = new URL(address, location.href).search.slice(1).split('.');
    const templates = rest.filter((part) => /^[0-9a-f]{6}$/.test(part));
    return { token, revision, templates, post: rest.includes('post') };
}

function isErrorPage() {
    return document.documentElement.dataset.rekindle === 'error';
}

class Page {
    constructor(script) {
        this.address = new URL(script.src);
        const { token, ...tag } = readTag(script.src);
        this.tag = tag;
        this.mirror = new Mirror((other) => this.isOurs(other));
        this.overlay = isErrorPage() || isInsideAnother() ? null : new Overlay();
        this.pending = [];
        this.isBusy = false;
        this.isLeaving = false;
        this.channel = new Channel(new URL('.', this.address), (message) => this.hear(message));
        if (isErrorPage()) document.querySelectorAll('pre').forEach(reveal);
        restore();
        this.listen(token);
    }

    isOurs(script) {
        const address = script.getAttribute('src') ? resolved(script.getAttribute('src')) : null;
        return Boolean(address && address.pathname === this.address.pathname);
    }

    listen(token) {
        this.channel.join(this.state(), token);
        addEventListener('pagehide', () => this.channel.leave());
        addEventListener('pageshow', (event) => event.persisted && this.channel.join(this.state(), token));
        addEventListener('online', () => this.channel.wake(true));
        document.addEventListener('resume', () => this.channel.wake(false));
        document.addEventListener('visibilitychange', () => this.onVisibility());
        // It may have been opened behind another.
        if (document.visibilityState === 'hidden') this.channel.rest();
    }

    onVisibility() {
        if (document.visibilityState === 'visible') this.channel.wake(false);
        else this.channel.rest();
    }

    // What the server is told of it.
    state() {
        return { revision: this.tag.revision, templates: this.tag.templates, path: location.pathname };
    }

    hear({ connected, problems, updates, revision }) {
        if (connected !== undefined) console.debug(`rekindle: connection ${connected ? 'regained' : 'lost'}`);
        if (problems) this.onProblems(problems);
        if (updates) this.onUpdates(updates, revision);
    }

    onProblems(problems) {
        if (this.overlay) this.overlay.show(problems);
        else if (isErrorPage() && !problems.length) this.heal();
    }

    // An error page whose error is none any more. Once for a revision: the error may be another's than
    // rekindle's.
    heal() {
        const here = `${pageAddress()} ${this.tag.revision}`;
        if (!this.hadProblems && read(HEALED_KEY) === here) return;
        write(HEALED_KEY, here);
        this.reload();
    }

    onUpdates(updates, revision) {
        // A page that does not know what it was made of learns it now.
        const isFirst = !this.tag.revision;
        this.tag.revision = revision;
        if (isFirst || !updates.length) return;
        this.pending.push(...updates);
        if (!this.isBusy) this.work().catch((error) => this.fail(error));
    }

    async work() {
        this.isBusy = true;
        while (this.pending.length && !this.isLeaving) await this.apply(this.pending.splice(0));
        this.isBusy = false;
    }

    // A few at once are one: each is done once, as the last of them says.
    async apply(updates) {
        const of = (kind) => updates.filter((update) => update.kind === kind);
        if (isErrorPage() || of('reload').length) {
            this.reload();
            return;
        }
        const styles = latest(of('style')).map((update) => replaceStyle(update, this.mirror));
        await withPatience(Promise.all(styles), LOAD_MS);
        latest(of('image')).forEach(replaceImage);
        if (of('page').length) await this.renew();
    }

    // Renders the page anew and brings in what differs.
    async renew() {
        if (this.tag.post) {
            this.reload();
            return;
        }
        const fresh = this.mirror.read(await fetchPage());
        await withPatience(morph(this.mirror, fresh), LOAD_MS);
        if (!fresh.tag) return;
        const { revision, templates } = readTag(resolved(fresh.tag).href);
        Object.assign(this.tag, { revision, templates });
        this.channel.update(this.state());
    }

    fail(error) {
        console.debug('rekindle: loading the page anew:', error.message);
        this.reload();
    }

    reload() {
        if (this.isLeaving) return;
        if (this.tag.post) {
            // Loading it anew would send the form once more.
            this.tell('This page is out of date. It answers a form: send that again to see what changed.');
            return;
        }
        this.isLeaving = true;
        const wait = reloadPause();
        if (wait) this.tell('This page was loaded anew too often. The next time is in a few seconds.');
        setTimeout(() => safely(reloadKeepingState), wait);
    }

    tell(text) {
        if (!this.overlay) this.overlay = new Overlay();
        this.overlay.notice(text);
    }
}

// One update a file, over all of its names.
function latest(updates) {
    const found = new Map();
    updates.forEach((update) => {
        const before = found.get(update.old);
        found.delete(update.old);
        found.set(update.new, before ? { ...update, old: before.old } : update);
    });
    return [...found.values()];
}

async function fetchPage() {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), FETCH_MS);
    try {
        const headers = { Accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.1', 'Rekindle-Page': '1' };
        const response = await fetch(pageAddress(), { cache: 'no-store', headers, signal: abort.signal });
        const isHtml = /^text\/html\b/i.test(response.headers.get('Content-Type') || '');
        if (!response.ok || !isHtml) throw new NeedsReload(`answered with ${response.status}`);
        if (response.redirected && response.url !== pageAddress()) throw new NeedsReload('sent elsewhere');
        return await response.text();
    } finally {
        clearTimeout(timer);
    }
}

// Milliseconds to wait before the next one, so that a fault never keeps a page reloading without a pause.
function reloadPause() {
    const now = Date.now();
    const recent = (read(RELOADS_KEY) || []).filter((time) => now - time < RELOADS_MS);
    write(RELOADS_KEY, [...recent, now].slice(-MOST_RELOADS));
    return recent.length < MOST_RELOADS ? 0 : RELOADS_MS;
}

// In a frame of a page that has the client, that page shows what is wrong.
function isInsideAnother() {
    try {
        return window !== parent && Boolean(parent[GUARD]);
    } catch (error) {
        return false;
    }
}
