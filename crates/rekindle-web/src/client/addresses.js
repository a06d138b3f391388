// Addresses: which of a page's are meant by an update, and what they become.

// Makes an address another one for the browser's caches; servers ignore it.
const STAMP = 'rekindle';

function resolved(text, base) {
    try {
        return new URL(text, base || document.baseURI);
    } catch (error) {
        return null;
    }
}

// A path is compared decoded: `/a%20b.css` and `/a b.css` are the same file.
function plainPath(path) {
    try {
        return decodeURIComponent(path);
    } catch (error) {
        return path;
    }
}

// An update of one file: knows the addresses it concerns and what they are to be replaced by.
class Replacement {
    constructor({ old, new: now }) {
        const [before, after] = [old, now].map((path) => resolved(path, location.origin).pathname);
        this.paths = new Set([plainPath(before), plainPath(after)]);
        this.path = after;
    }

    // The address to use in place of `text`, or null when that is another file's.
    //
    // Its query stays, and its fragment: it may be what chooses a part of a sprite.
    of(text, base) {
        const address = text ? resolved(text, base) : null;
        if (!address || address.origin !== location.origin) return null;
        if (!this.paths.has(plainPath(address.pathname))) return null;
        address.pathname = this.path;
        address.searchParams.set(STAMP, stamp());
        return address.href.slice(address.origin.length);
    }

    // `url(…)` wherever it stands in a piece of CSS.
    inCss(text, base) {
        const pattern = /url\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^"')\s]*)\s*\)/g;
        return text.replace(pattern, (whole, quoted) => {
            const now = this.of(quoted.replace(/^["']|["']$/g, '').replace(/\\(.)/g, '$1'), base);
            return now ? `url("${now}")` : whole;
        });
    }

    // The candidates of a `srcset`: an address each, and what it is for.
    inSrcset(text) {
        return text.replace(/([^\s,]\S*[^\s,]|[^\s,])(\s+[^\s,]+)?\s*(,|$)/g, (whole, address) => {
            const now = this.of(address);
            return now ? whole.replace(address, () => now) : whole;
        });
    }
}

// Never the same twice: a cache may hold what an earlier one was answered with.
let stamps = 0;

function stamp() {
    stamps += 1;
    return Date.now().toString(36) + stamps;
}

// Same address, but for the stamp.
function sameAddress(a, b) {
    const [first, second] = [a, b].map((text) => {
        const address = resolved(text);
        if (!address) return text;
        address.searchParams.delete(STAMP);
        return address.href;
    });
    return first === second;
}

// The document and the open shadow trees in it, however deep.
function roots(root = document, found = []) {
    found.push(root);
    root.querySelectorAll('*').forEach((element) => {
        if (element.shadowRoot) roots(element.shadowRoot, found);
    });
    return found;
}
