// The overlay: what is wrong right now, in front of the page that last worked. Escape hides it until
// something else is wrong. It stands in a shadow tree of its own: neither the page's styles nor its scripts
// reach into it by accident.

const HIDDEN_KEY = 'rekindle hidden';

class Overlay {
    constructor() {
        this.problems = [];
        this.note = '';
        this.hidden = new Set(read(HIDDEN_KEY) || []);
        this.host = null;
        addEventListener('keydown', (event) => safely(() => this.onKey(event)), true);
    }

    show(problems) {
        this.problems = problems;
        this.render();
    }

    // A word that needs no attention at once.
    notice(text) {
        this.note = text;
        this.render();
    }

    isShown() {
        return this.problems.some((problem) => !this.hidden.has(keyOf(problem)));
    }

    hide() {
        this.problems.forEach((problem) => this.hidden.add(keyOf(problem)));
        write(HIDDEN_KEY, this.problems.map(keyOf));
        this.render();
    }

    onKey(event) {
        if (event.key !== 'Escape' || event.isComposing || !this.isShown()) return;
        // A dialog of the page below stays as it is.
        event.preventDefault();
        event.stopPropagation();
        this.hide();
    }

    render() {
        if (!this.isShown() && !this.note) {
            if (this.host) this.host.remove();
            return;
        }
        if (!this.host) this.create();
        if (!this.host.isConnected) document.documentElement.append(this.host);
        const parts = [this.note ? this.noteElement() : null, this.isShown() ? this.panel() : null];
        this.root.replaceChildren(...parts.filter(Boolean), ...this.styles);
        this.raise();
        this.root.querySelectorAll('.frame').forEach(reveal);
    }

    create() {
        this.host = document.createElement('rekindle-overlay');
        this.root = this.host.attachShadow({ mode: 'open' });
        this.styles = adoptStyle(this.root, OVERLAY_STYLE);
    }

    // To the top layer, in front of a dialog that was opened meanwhile.
    raise() {
        if (!this.host.showPopover) return;
        this.host.popover = 'manual';
        if (this.host.matches(':popover-open')) this.host.hidePopover();
        this.host.showPopover();
    }

    panel() {
        const close = element('button', { type: 'button', title: 'Hide (Esc)', ariaLabel: 'Hide' }, '\u2715');
        close.addEventListener('click', () => safely(() => this.hide()));
        const count = this.problems.length;
        const heading = element('h1', { id: 'heading' }, count > 1 ? `${count} problems` : '1 problem');
        const bar = element('header', {}, heading, element('kbd', {}, 'Esc'), close);
        const body = element('div', { className: 'problems' }, ...this.problems.map(problemElement));
        const panel = element('section', { className: 'panel' }, bar, body);
        panel.setAttribute('role', 'alertdialog');
        panel.setAttribute('aria-labelledby', 'heading');
        panel.setAttribute('aria-live', 'assertive');
        return panel;
    }

    noteElement() {
        const close = element('button', { type: 'button', ariaLabel: 'Hide' }, '\u2715');
        close.addEventListener('click', () => safely(() => this.notice('')));
        const note = element('div', { className: 'note' }, element('p', {}, this.note), close);
        note.setAttribute('role', 'status');
        return note;
    }
}

// By which a problem is the same one: the place and the words, not the lines around it.
function keyOf({ id, title, message, file, line, column }) {
    return JSON.stringify([id, title, message, file, line, column]);
}

// The only way anything gets into the overlay: text is text.
function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children.filter((child) => child !== null));
    return made;
}

function problemElement(problem) {
    return element(
        'article', {},
        element('h2', {}, problem.title),
        placeElement(problem),
        element('p', { className: 'message' }, problem.message),
        frameElement(problem.frame || []),
        chainElement(problem.chain || []),
    );
}

function placeElement({ file, line, column }) {
    const place = [file, line, line && column].filter(Boolean).join(':');
    return place ? element('p', { className: 'place' }, place) : null;
}

function frameElement(lines) {
    if (!lines.length) return null;
    const frame = element('div', { className: 'frame', tabIndex: 0, ariaLabel: 'Code' });
    frame.setAttribute('role', 'group');
    const code = element('div', { className: 'code' }, ...lines.map(lineElement));
    frame.append(code);
    return frame;
}

function lineElement({ number, text, marked }) {
    const className = marked ? 'line wrong' : 'line';
    const source = element('code', {}, ...(marked ? markedText(text, marked) : [text]));
    return element('div', { className }, element('span', { className: 'number' }, String(number)), source);
}

// Columns count characters, not the halves that some are made of here.
function markedText(text, [start, end]) {
    const characters = Array.from(text);
    const cut = (from, to) => characters.slice(from, to).join('');
    const last = Math.max(end, start + 1) - 1;
    return [cut(0, start - 1), element('mark', {}, cut(start - 1, last) || ' '), cut(last)];
}

function chainElement(chain) {
    if (!chain.length) return null;
    const links = chain.map((link) => element('li', {}, link));
    const list = element('ol', {}, ...links);
    return element('div', { className: 'chain' }, element('p', {}, 'Included from'), list);
}

// What is marked may be far to the right.
function reveal(frame) {
    const mark = frame.querySelector('mark');
    if (!mark) return;
    const beyond = mark.getBoundingClientRect().right - frame.getBoundingClientRect().right;
    if (beyond > 0) frame.scrollLeft = beyond + frame.clientWidth / 4;
}

// Strict policies forbid style elements, and not sheets that are made by a script. Returns what older
// browsers need.
function adoptStyle(root, css) {
    try {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        root.adoptedStyleSheets = [sheet];
        return [];
    } catch (error) {
        const style = element('style', {}, css);
        style.nonce = pageNonce;
        return [style];
    }
}
