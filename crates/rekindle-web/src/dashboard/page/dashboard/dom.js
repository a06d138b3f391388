// Elements. Whatever is told by the server gets into the page as text, never as markup.

const SVG = 'http://www.w3.org/2000/svg';

const ICONS = {
    good: 'M3.5 8.500 6.500 11.500 12.500 4.500',
    bad: 'M4 4 12 12M12 4 4 12',
    pending: 'M8 3.500V8l3 2M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0',
    undone: 'M6 3 3 6l3 3M3 6h6.500a3.500 3.500 0 0 1 0 7H6',
    same: 'M4 6.500h8M4 9.500h8',
    lock: 'M4 7.500h8V13H4zM5.500 7.500V5a2.500 2.500 0 0 1 5 0v2.500',
    open: 'M6 4l4 4-4 4',
};

function fill(element, properties, children) {
    for (const [name, value] of Object.entries(properties ?? {})) {
        if (value === undefined || value === null || value === false) continue;
        if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
        else element.setAttribute(name, value === true ? '' : value);
    }
    element.append(
        ...children
            .flat(Infinity)
            .filter((child) => child !== undefined && child !== null && child !== false),
    );
    return element;
}

/** An element of HTML with attributes, listeners (`onclick`) and children, which are elements or texts. */
export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);

/** The same of SVG. */
export const s = (tag, properties, ...children) =>
    fill(document.createElementNS(SVG, tag), properties, children);

/** A small picture beside a word that says the same. */
export const icon = (name) =>
    s(
        'svg',
        { class: 'icon', viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' },
        s('path', { d: ICONS[name] }),
    );

export const byId = (id) => document.getElementById(id);

const painted = new WeakMap();

/**
 * Fills a container anew, if what is shown in it has changed since. What had the focus has it again, when
 * it is still there by its `data-key`.
 */
export function paint(container, shown, build) {
    const text = JSON.stringify(shown);
    if (painted.get(container) === text) return;
    painted.set(container, text);
    const key = container.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    container.replaceChildren(...[build()].flat(Infinity));
    if (key !== undefined) {
        const again = [...container.querySelectorAll('[data-key]')].find(
            (element) => element.dataset.key === key,
        );
        again?.focus({ preventScroll: true });
    }
}

let clearing;

/** Says something at the edge of the page for a while. */
export function notice(state, ...content) {
    clearTimeout(clearing);
    byId('notice').replaceChildren(h('div', { class: 'notice', 'data-state': state }, content));
    clearing = setTimeout(() => byId('notice').replaceChildren(), 8000);
}
