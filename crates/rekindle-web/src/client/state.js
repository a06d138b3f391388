// What people did to a page, held across a morph and kept across a reload: where they are, and what they
// typed.

// How long what was kept is good for: a server may take its time to come back.
const KEPT_MS = 600000;

const FIELDS = 'input, textarea, select';

// Never written down: what is secret, and what no script may fill in.
const UNKEPT = ['password', 'file', 'hidden', 'submit', 'button', 'reset', 'image'];

// Returns what puts back that which moving elements about may lose.
function holdState() {
    return [holdSelects(), holdScroll(), holdFocus()];
}

// An option that comes in as the selected one takes the choice away.
function holdSelects() {
    const chosen = [...document.querySelectorAll('select')].filter(isChanged)
        .map((select) => [select, valueOf(select)]);
    return () => chosen.forEach(([select, value]) => setValue(select, value));
}

function holdScroll() {
    const isScrolled = (element) => element.scrollTop || element.scrollLeft;
    const scrolled = [...document.querySelectorAll('*')].filter(isScrolled)
        .map((element) => [element, element.scrollLeft, element.scrollTop]);
    return () => scrolled.forEach(([element, left, top]) => {
        if (!element.scrollTop && !element.scrollLeft) element.scrollTo({ left, top, behavior: 'instant' });
    });
}

function holdFocus() {
    const focused = document.activeElement;
    const selection = selectionOf(focused);
    return () => {
        if (document.activeElement === focused || !focused || !focused.isConnected) return;
        focus(focused, selection);
    };
}

function focus(element, selection) {
    element.focus({ preventScroll: true });
    if (selection) element.setSelectionRange(...selection);
}

// Only some kinds of fields have one, and others throw.
function selectionOf(field) {
    try {
        if (!field || typeof field.selectionStart !== 'number') return null;
        return [field.selectionStart, field.selectionEnd, field.selectionDirection || 'none'];
    } catch (error) {
        return null;
    }
}

function isChanged(field) {
    if (field.localName === 'select') {
        return [...field.options].some((option) => option.selected !== option.defaultSelected);
    }
    if (isToggle(field)) return field.checked !== field.defaultChecked;
    return field.value !== field.defaultValue;
}

function isToggle(field) {
    return field.type === 'checkbox' || field.type === 'radio';
}

function valueOf(field) {
    if (field.localName === 'select') return [...field.selectedOptions].map((option) => option.value);
    return isToggle(field) ? field.checked : field.value;
}

function setValue(field, value) {
    if (field.localName === 'select') {
        [...field.options].forEach((option) => {
            const selected = value.includes(option.value);
            if (option.selected !== selected) option.selected = selected;
        });
    } else if (isToggle(field)) {
        field.checked = value;
    } else {
        field.value = value;
    }
}

// Loads the page anew; the next one finds what was kept.
function reloadKeepingState() {
    keep();
    location.reload();
}

function keptKey() {
    return `rekindle state ${pageAddress()}`;
}

function keep() {
    const active = document.activeElement;
    const named = namedFields(document);
    const state = {
        time: Date.now(),
        scroll: [scrollX, scrollY],
        fields: named.filter(([, field]) => mayKeep(field) && isChanged(field))
            .map(([name, field]) => [name, valueOf(field)]),
        focus: named.filter(([, field]) => field === active && mayKeep(field))
            .map(([name, field]) => [name, selectionOf(field)]),
        scrolled: withId('[id]', (element) => element.scrollTop || element.scrollLeft)
            .map((element) => [element.id, element.scrollLeft, element.scrollTop]),
        details: withId('details[id]', () => true).map((element) => [element.id, element.open]),
    };
    // An error page in between has nothing to keep, and takes nothing.
    if (isErrorPage() && read(keptKey())) return;
    write(keptKey(), state);
}

function withId(selector, wanted) {
    return [...document.querySelectorAll(selector)].filter(wanted);
}

function mayKeep(field) {
    return !UNKEPT.includes(field.type) && !/\bcc-|one-time-code|password/.test(field.autocomplete || '');
}

// Each field with a name by which it is found again: its id, or its form's and its own, and which of those it
// is.
function namedFields(root) {
    const seen = {};
    return [...root.querySelectorAll(FIELDS)].map((field) => {
        if (field.id) return [`#${field.id}`, field];
        const form = field.form ? field.form.id || field.form.getAttribute('action') || '' : '';
        const name = [form, field.name, isToggle(field) ? field.value : ''].join('\n');
        seen[name] = (seen[name] || 0) + 1;
        return [`${name}\n${seen[name]}`, field];
    });
}

// Puts back what was kept before a reload, if this is the page it was kept for.
function restore() {
    const state = isErrorPage() ? null : read(keptKey());
    if (!state) return;
    erase(keptKey());
    if (Date.now() - state.time > KEPT_MS) return;
    const fields = new Map(namedFields(document));
    state.details.forEach(([id, open]) => onId(id, (element) => { element.open = open; }));
    state.fields.forEach(([name, value]) => {
        const field = fields.get(name);
        if (field && mayKeep(field)) setValue(field, value);
    });
    state.focus.forEach(([name, selection]) => {
        const free = !document.activeElement || document.activeElement === document.body;
        if (free && fields.has(name)) focus(fields.get(name), selection);
    });
    restoreScroll(state);
}

function onId(id, task) {
    const element = document.getElementById(id);
    if (element) task(element);
}

// Once now and once when everything is there that makes the page as tall as it was; not when people have
// scrolled. The browser would go where the page before was, which may have been an error page.
function restoreScroll({ scroll, scrolled }) {
    const events = ['wheel', 'touchmove', 'keydown', 'pointerdown'];
    const put = () => {
        scrolled.forEach(([id, left, top]) => {
            onId(id, (element) => element.scrollTo({ left, top, behavior: 'instant' }));
        });
        scrollTo({ left: scroll[0], top: scroll[1], behavior: 'instant' });
    };
    const manner = history.scrollRestoration;
    const end = () => {
        // The browser does so after the last listener.
        setTimeout(() => { history.scrollRestoration = manner; });
        removeEventListener('load', late);
        events.forEach((name) => removeEventListener(name, end, true));
    };
    const late = () => safely(() => {
        put();
        end();
    });
    put();
    if (document.readyState === 'complete') return;
    history.scrollRestoration = 'manual';
    addEventListener('load', late);
    events.forEach((name) => addEventListener(name, end, { capture: true, passive: true }));
}

// The tab's own store; there may be none, or it may be full.
function read(key) {
    try {
        return JSON.parse(sessionStorage.getItem(key));
    } catch (error) {
        return null;
    }
}

function write(key, value) {
    try {
        sessionStorage.setItem(key, JSON.stringify(value));
    } catch (error) {
        complain(error);
    }
}

function erase(key) {
    try {
        sessionStorage.removeItem(key);
    } catch (error) {
        complain(error);
    }
}
