// What is said of a thing when it is pointed at or has the focus.

import { byId } from './dom.js';

/** How long it stays, in milliseconds, so that the pointer can get to it. */
const PATIENCE = 150;

const GAP = 8;

const builders = new WeakMap();
const box = byId('tip');
let owner;
let leaving;

/** Has a thing say more, as elements that `build` makes when they are wanted. */
export function say(element, build) {
    builders.set(element, build);
    element.dataset.tip = '';
    return element;
}

function show(element) {
    clearTimeout(leaving);
    if (element === owner) return;
    hide();
    owner = element;
    box.replaceChildren(...[builders.get(element)?.() ?? []].flat());
    box.hidden = false;
    element.setAttribute('aria-describedby', 'tip');
    place(element.getBoundingClientRect());
}

/** Below what it is about, or above where there is no room; never over an edge. */
function place(about) {
    const { width, height } = box.getBoundingClientRect();
    const below = about.bottom + GAP;
    const fits = below + height <= innerHeight || about.top - GAP - height < 0;
    box.style.top = `${Math.max(GAP, Math.min(fits ? below : about.top - GAP - height, innerHeight - height - GAP))}px`;
    const middle = about.width > width ? about.left : about.left + about.width / 2 - width / 2;
    box.style.left = `${Math.max(GAP, Math.min(middle, document.documentElement.clientWidth - width - GAP))}px`;
}

/** Stays at what has the focus when the page moves below it; what is only pointed at is somewhere else then. */
function follow() {
    if (owner.contains(document.activeElement)) place(owner.getBoundingClientRect());
    else hide();
}

function hide() {
    clearTimeout(leaving);
    owner?.removeAttribute('aria-describedby');
    owner = undefined;
    box.hidden = true;
}

const within = (target) => target instanceof Element && target.closest('[data-tip]');

document.addEventListener('pointerover', ({ target }) => {
    if (box.contains(target)) return clearTimeout(leaving);
    const element = within(target);
    if (element) return show(element);
    clearTimeout(leaving);
    leaving = setTimeout(() => owner && owner !== within(document.activeElement) && hide(), PATIENCE);
});
document.addEventListener('focusin', ({ target }) => {
    const element = within(target);
    if (element) show(element);
    else hide();
});
document.addEventListener('focusout', hide);
document.addEventListener('keydown', (event) => event.key === 'Escape' && hide());
document.addEventListener('scroll', ({ target }) => owner && target.contains(owner) && follow(), {
    capture: true,
    passive: true,
});
new MutationObserver(() => owner && !owner.isConnected && hide()).observe(document.body, {
    childList: true,
    subtree: true,
});
