// The page as the server sent it: an inert copy, each node of which knows the living node it stands for.
//
// What the server sends next is compared with this copy and not with the living page. What people and scripts
// did to the page (typed, opened, drew, added) is thus never a difference, and nothing has to be done to keep
// it.

// Where elements with a shadow tree of their own are declared: not told apart from the page once it is alive.
const DECLARED_SHADOW = 'template[shadowrootmode]';

class Mirror {
    // `ours` tells the client's own script from the page's.
    constructor(ours) {
        this.ours = ours;
        this.living = new WeakMap();
        this.copies = new WeakMap();
        this.page = pageAddress();
        const inert = document.implementation.createHTMLDocument('');
        this.root = inert.importNode(document.documentElement, true);
        this.pairAll(this.root, document.documentElement);
        const scripts = [...this.root.querySelectorAll('script')];
        this.added = scripts.filter((script) => addedByScript(this.live(script)));
        this.tidy(this.root);
    }

    live(copy) {
        return this.living.get(copy);
    }

    pair(copy, live) {
        this.living.set(copy, live);
        this.copies.set(live, copy);
    }

    pairAll(copy, live) {
        this.pair(copy, live);
        const others = contentOf(live).childNodes;
        contentOf(copy).childNodes.forEach((child, index) => this.pairAll(child, others[index]));
    }

    // Another element stands in the page for what `live` stood for.
    replaceLive(live, next) {
        const copy = this.copies.get(live);
        if (copy) this.pair(copy, next);
    }

    // What the server sent now, as a tree to compare with, and the address of the client's script in it.
    read(html) {
        const text = trusted.createHTML(withoutNoscript(html));
        const parsed = new DOMParser().parseFromString(text, 'text/html');
        const root = parsed.documentElement;
        const script = [...root.querySelectorAll('script')].find(this.ours);
        const tag = script ? script.getAttribute('src') : '';
        this.tidy(root);
        return { root, tag, quirks: parsed.compatMode };
    }

    // Takes out what is not the page's own, or never twice the same, or not read alike.
    tidy(root) {
        root.querySelectorAll('noscript, rekindle-overlay').forEach((element) => element.remove());
        root.querySelectorAll('script').forEach((script) => {
            if (this.ours(script) || (this.added && this.added.includes(script))) script.remove();
        });
        root.querySelectorAll('[nonce]').forEach((element) => element.removeAttribute('nonce'));
    }
}

// Where a page's nodes are: those of a template stand apart.
function contentOf(node) {
    return isFragment(node.content) ? node.content : node;
}

// One of another document is no instance of this one's classes.
function isFragment(content) {
    return Boolean(content && content.nodeType === 11);
}

// Without the fragment, which the server never sees.
function pageAddress() {
    return location.href.split('#')[0];
}

// A script that another one made, unless it says so itself, is the only one to be asynchronous by itself.
function addedByScript(script) {
    return Boolean(script && script.async && !script.hasAttribute('async'));
}

// With scripts at work its content is text, and in a parser without them it is elements.
function withoutNoscript(html) {
    return html.replace(/<noscript[\s>][^]*?<\/noscript\s*>/gi, '');
}
