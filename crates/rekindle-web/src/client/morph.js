// Brings what differs between two renders of a page into the living one, and touches nothing else of it.

const ELEMENT = 1;

// Thrown where only loading the page anew is right.
class NeedsReload extends Error {}

// Resolves when new stylesheets are there.
function morph(mirror, { root, quirks }) {
    if (quirks !== document.compatMode) throw new NeedsReload('another document type');
    if (pageAddress() !== mirror.page) throw new NeedsReload('another address than it was loaded from');
    const unlike = UNCHANGEABLE.find((read) => read(mirror.root).join('\n') !== read(root).join('\n'));
    if (unlike) throw new NeedsReload(`${unlike.name} differ`);
    const held = holdState();
    const patch = new Patch(mirror, root);
    patch.run();
    held.forEach((putBack) => putBack());
    return Promise.all(patch.swaps);
}

// What has had its effect on a page that is alive.
const UNCHANGEABLE = [
    function scripts(root) {
        return [...root.querySelectorAll('script')].filter(isRun).map((script) => script.outerHTML);
    },
    function policies(root) {
        return [...root.querySelectorAll('meta[http-equiv], base')].map((element) => element.outerHTML);
    },
    function shadows(root) {
        return [...root.querySelectorAll(DECLARED_SHADOW)].map((element) => element.outerHTML);
    },
];

// Others hold data, and may change as any text may.
function isRun(script) {
    const type = (script.getAttribute('type') || '').trim().toLowerCase();
    const runs = /^(module|importmap|speculationrules|(text|application)\/(x-)?(java|ecma|live)script)/;
    return !type || runs.test(type);
}

class Patch {
    constructor(mirror, root) {
        this.mirror = mirror;
        this.root = root;
        this.claims = claims(mirror.root, root);
        this.claimed = new Set(this.claims.values());
        this.doomed = [];
        this.swaps = [];
        this.media = new Set();
    }

    run() {
        this.element(this.mirror.root, this.root, this.mirror.live(this.mirror.root));
        // Last: of what goes, parts may have been moved elsewhere.
        this.doomed.forEach((copy) => this.mirror.live(copy).remove());
        this.media.forEach((media) => media.load());
        this.mirror.root = this.root;
    }

    // `copy` is what was sent before, `fresh` what is sent now, `live` what is in the page for it.
    node(copy, fresh, live) {
        if (isSame(copy, fresh)) {
            // The whole branch keeps the copies that know their living nodes.
            fresh.replaceWith(copy);
        } else if (!live.isConnected && !isInTemplate(copy)) {
            throw new NeedsReload('what changed is no longer in the page');
        } else if (fresh.nodeType === ELEMENT) {
            this.element(copy, fresh, live);
        } else {
            this.mirror.pair(fresh, live);
            if (live.data !== fresh.data) live.data = fresh.data;
        }
    }

    element(copy, fresh, live) {
        if (isKept(copy, live)) {
            if (copy !== this.mirror.root) fresh.replaceWith(copy);
            return;
        }
        this.mirror.pair(fresh, live);
        this.attributes(copy, fresh, live);
        this.children(contentOf(copy), contentOf(fresh), contentOf(live));
    }

    attributes(copy, fresh, live) {
        const names = new Set([...copy.attributes, ...fresh.attributes].map((attribute) => attribute.name));
        const changed = [...names].filter((name) => copy.getAttribute(name) !== fresh.getAttribute(name));
        if (changed.includes('href') && isStylesheet(live) && isStylesheet(fresh)) {
            this.stylesheet(fresh, live, changed);
        } else {
            changed.forEach((name) => changeAttribute(copy, fresh, live, name));
        }
        this.noteMedia(live, changed);
    }

    stylesheet(fresh, live, changed) {
        changed.filter((name) => name !== 'href').forEach((name) => copyAttribute(fresh, live, name));
        const href = fresh.getAttribute('href');
        if (href && sameAddress(href, live.getAttribute('href'))) return;
        this.swaps.push(swapLink(live, href, this.mirror));
    }

    // A change of its sources is not noticed by itself.
    noteMedia(live, changed) {
        if (live.localName !== 'source' || !changed.length) return;
        if (live.parentNode instanceof HTMLMediaElement) this.media.add(live.parentNode);
    }

    // All three are parents: an element, or a template's content.
    children(copy, fresh, live) {
        const [before, now] = [[...copy.childNodes], [...fresh.childNodes]];
        const pairs = align(before, now, (a, b) => this.likeness(a, b));
        const found = new Set(pairs.values());
        this.doomed.push(...before.filter((child) => !found.has(child) && !this.claimed.has(child)));
        let previous = null;
        now.forEach((child, index) => {
            const place = () => this.place(previous, now.slice(index + 1), pairs, live);
            previous = this.child(pairs.get(child), child, live, place) || previous;
        });
    }

    // Returns the living node for `fresh`, or null when it is not where it was.
    child(copy, fresh, parent, place) {
        const old = copy || this.claims.get(fresh);
        if (!old) return this.build(fresh, parent, place());
        const live = this.mirror.live(old);
        if (!copy) move(live, parent, place());
        this.node(old, fresh, live);
        return live.parentNode === parent ? live : null;
    }

    // Before which node something new goes: behind the one before it, or else before the one after it.
    place(previous, following, pairs, parent) {
        if (previous) return previous.nextSibling;
        const next = following.map((child) => pairs.get(child) && this.mirror.live(pairs.get(child)));
        return next.find((live) => live && live.parentNode === parent) || null;
    }

    build(fresh, parent, before) {
        const holdsOld = [...this.claims.keys()].some((claim) => fresh !== claim && fresh.contains(claim));
        const live = document.importNode(fresh, !holdsOld);
        allow(live);
        parent.insertBefore(live, before);
        if (holdsOld) {
            this.mirror.pair(fresh, live);
            [...fresh.childNodes].forEach((child) => this.child(null, child, live, () => null));
        } else {
            this.mirror.pairAll(fresh, live);
        }
        return live;
    }

    likeness(copy, fresh) {
        if (copy.nodeName !== fresh.nodeName) return 0;
        if (fresh.nodeType !== ELEMENT) return textLikeness(copy, fresh);
        const claim = this.claims.get(fresh);
        if (claim || this.claimed.has(copy)) return claim === copy ? 1000 : 0;
        return elementLikeness(copy, fresh);
    }
}

// What is in a template is no child of it, and is not looked at by `isEqualNode`.
function isSame(copy, fresh) {
    if (!copy.isEqualNode(fresh)) return false;
    const [before, now] = [templatesOf(copy), templatesOf(fresh)];
    return before.every((template, index) => isSame(template.content, now[index].content));
}

function templatesOf(node) {
    const inside = node.querySelectorAll ? [...node.querySelectorAll('template')] : [];
    return (node.localName === 'template' ? [node, ...inside] : inside).filter(({ content }) => isFragment(content));
}

// The elements that are known by their id, wherever they have got to.
function claims(old, fresh) {
    const [before, now] = [old, fresh].map(byId);
    const pairs = [...now].map(([id, element]) => [element, before.get(id)]);
    return new Map(pairs.filter(([element, copy]) => copy && copy.nodeName === element.nodeName));
}

function byId(root) {
    const found = new Map();
    root.querySelectorAll('[id]').forEach((element) => {
        // An id that is there twice is none.
        found.set(element.id, found.has(element.id) ? null : element);
    });
    return new Map([...found].filter(([id, element]) => id && element));
}

function textLikeness(copy, fresh) {
    if (copy.data === fresh.data) return 3;
    return Boolean(copy.data.trim()) === Boolean(fresh.data.trim()) ? 1 : 0;
}

// What an element is for: two that differ in it are never the same.
const ROLES = ['type', 'name', 'property', 'rel', 'http-equiv', 'itemprop', 'for'];

function elementLikeness(copy, fresh) {
    if (copy.isEqualNode(fresh)) return 50;
    if (ROLES.some((name) => copy.getAttribute(name) !== fresh.getAttribute(name))) return 0;
    const attributes = [...fresh.attributes].filter(({ name, value }) => copy.getAttribute(name) === value);
    const known = mark(fresh) && mark(fresh) === mark(copy) ? 20 : 0;
    const text = fresh.textContent.trim();
    const read = text && text === copy.textContent.trim() ? 10 : 0;
    return 4 + Math.min(attributes.length, 5) + known + read;
}

// The first thing in it that has a name.
function mark(element) {
    const named = element.querySelector('[id], [name]');
    return named ? named.id || named.getAttribute('name') : '';
}

// An element that is not to be changed: because the page says so, or because somebody writes in it.
function isKept(copy, live) {
    if (live.hasAttribute('data-rekindle-keep')) return true;
    if (!live.isContentEditable || !live.hasAttribute('contenteditable')) return false;
    return live.contains(document.activeElement) || live.textContent !== copy.textContent;
}

function isStylesheet(element) {
    return element.localName === 'link' && /\bstylesheet\b/i.test(element.getAttribute('rel') || '');
}

function isInTemplate(node) {
    return isFragment(node.getRootNode());
}

// Classes that scripts gave or took stay so.
function changeAttribute(copy, fresh, live, name) {
    if (name !== 'class' || !fresh.hasAttribute(name)) {
        copyAttribute(fresh, live, name);
        return;
    }
    const [before, now] = [copy, fresh].map((element) => [...element.classList]);
    live.classList.remove(...before.filter((one) => !now.includes(one)));
    live.classList.add(...now.filter((one) => !before.includes(one)));
}

// By way of a node: parsers take names that `setAttribute` refuses.
function copyAttribute(fresh, live, name) {
    const attribute = fresh.getAttributeNode(name);
    if (!attribute) live.removeAttribute(name);
    else if (live.getAttribute(name) !== attribute.value) {
        live.setAttributeNodeNS(document.importNode(attribute, true));
    }
}

// The page's policy lets in what has the nonce it came with; that of the new render is of another answer.
function allow(live) {
    if (live.nodeType !== ELEMENT || !pageNonce) return;
    [live, ...live.querySelectorAll('style, link')].forEach((element) => {
        if (/^(style|link)$/.test(element.localName)) element.nonce = pageNonce;
    });
}

// `moveBefore` keeps what a frame shows, what plays and what has the focus; not every browser has it.
function move(live, parent, before) {
    if (live.parentNode === parent && live.nextSibling === before) return;
    try {
        parent.moveBefore(live, before);
    } catch (error) {
        parent.insertBefore(live, before);
    }
}
