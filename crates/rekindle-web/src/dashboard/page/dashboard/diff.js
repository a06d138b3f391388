// Two values of the same name, as what was taken away and what came.

import { h } from './dom.js';
import { difference, inline, lines } from './words.js';

/** What differs, each value with its name. */
export function changed(changes) {
    if (!changes.length) return h('p', { class: 'note' }, 'No value differs: only comments, or the layout.');
    return h(
        'div',
        { class: 'diff', role: 'group', tabindex: 0, 'aria-label': 'What differs' },
        changes.map(change),
    );
}

const isTable = (value) => value !== null && typeof value === 'object';

function change(told) {
    const name = told.pointer || 'all of it';
    const [from, to] = ['from' in told, 'to' in told];
    if (isTable(told.from) || isTable(told.to)) {
        const sides = difference(from ? lines(told.from) : [], to ? lines(told.to) : []);
        return [h('div', { class: 'row of' }, name), sides.map(([sign, text]) => line(sign, text))];
    }
    const side = (sign, value) => line(sign, `${name} = ${value === '***' ? 'secret' : inline(value)}`);
    return [from && side('-', told.from), to && side('+', told.to)];
}

const SIGNS = { '-': ['removed', '−'], '+': ['added', '+'], ' ': ['kept', ' '] };

function line(sign, text) {
    const [kind, shown] = SIGNS[sign];
    const tag = { removed: 'del', added: 'ins', kept: 'span' }[kind];
    return h(
        'div',
        { class: `row ${kind}` },
        h('span', { class: 'sign', 'aria-hidden': 'true' }, shown),
        h(tag, {}, text),
    );
}
