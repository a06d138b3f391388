// The last reloads: the chart, the same as a table, and what came of a single one.

import { STAGES, chart, stages } from './chart.js';
import { byId, h, icon, paint } from './dom.js';
import { clock, count, duration, moment, outcome, trigger } from './words.js';

let shown = [];

/** The reloads, the newest last. */
export function showReloads(receipts) {
    shown = receipts;
    byId('reloads-note').textContent = receipts.length ? `the last ${receipts.length}` : '';
    draw();
    byId('as-table').hidden = !receipts.length;
    paint(byId('reloads'), receipts, () => (receipts.length ? table(receipts) : []));
}

/** Draws the chart as wide as there is room. */
function draw() {
    const container = byId('chart');
    const width = Math.floor(container.clientWidth);
    paint(container, [shown, width], () =>
        shown.length
            ? chart(shown, width, about)
            : h(
                  'div',
                  { class: 'empty' },
                  h('p', {}, 'Nothing has been reloaded yet.'),
                  h('p', {}, 'Save a configuration: how long each stage takes is drawn here.'),
              ),
    );
}

new ResizeObserver(draw).observe(byId('chart'));

/** What a reload was about, for who points at it. */
export const about = (receipt) => [
    h('p', {}, h('b', {}, `Reload ${receipt.id}`), ` at ${clock(receipt.at)}: ${trigger(receipt.trigger)}`),
    ...result(receipt),
    h(
        'table',
        { class: 'stages' },
        [...STAGES, 'total'].map((stage) =>
            h(
                'tr',
                { class: stage === 'total' ? 'total' : undefined },
                h('th', { scope: 'row' }, h('span', { class: 'swatch', 'data-stage': stage }), stage),
                h('td', {}, duration(stages(receipt)[stage])),
            ),
        ),
    ),
];

/** How a reload went, in a few lines. */
function result(receipt) {
    const { word, state } = outcome(receipt.outcome);
    const names = receipt.applied.length ? `: ${receipt.applied.join(', ')}` : '';
    return [
        h(
            'p',
            { class: 'state', 'data-state': state },
            icon(state),
            ` ${word}${receipt.outcome === 'applied' ? names : ''}, generation ${receipt.generation}`,
        ),
        ...receipt.refused.map((refusal) =>
            h(
                'p',
                { class: 'why' },
                `${refusal.config_name}, by ${refusal.by}: ${place(refusal.error)}${refusal.error.message}`,
            ),
        ),
        ...(receipt.rolled_back
            ? [
                  h(
                      'p',
                      { class: 'why' },
                      `${receipt.rolled_back.config_names.join(', ')}: ${receipt.rolled_back.reason.message}`,
                  ),
              ]
            : []),
    ];
}

const place = (error) =>
    error.path ? `${[error.path, error.line, error.column].filter(Boolean).join(':')}: ` : '';

/** What came of a reload that was asked for here. */
export const receipt = (receipt) => [
    ...result(receipt),
    h('p', { class: 'note' }, `in ${duration(receipt.stages_us.total)}`),
];

function table(receipts) {
    const heads = ['Time', 'Why', 'Outcome', 'Configurations', ...STAGES, 'total'];
    const names = (receipt) => [
        ...receipt.applied,
        ...receipt.refused.map((refusal) => refusal.config_name),
        ...(receipt.rolled_back?.config_names ?? []),
    ];
    const row = (receipt) => {
        const { word, state } = outcome(receipt.outcome);
        return h(
            'tr',
            {},
            h('th', { scope: 'row', title: moment(receipt.at) }, clock(receipt.at)),
            h('td', {}, trigger(receipt.trigger)),
            h('td', {}, h('span', { class: 'state', 'data-state': state }, icon(state), ` ${word}`)),
            h('td', {}, [...new Set(names(receipt))].join(', ') || '–'),
            [...STAGES, 'total'].map((stage) =>
                h('td', { class: 'number' }, duration(stages(receipt)[stage])),
            ),
        );
    };
    return h(
        'table',
        { class: 'list' },
        h('caption', {}, `${count(receipts.length, 'reload')}, the newest first`),
        h(
            'thead',
            {},
            h(
                'tr',
                {},
                heads.map((head) => h('th', { scope: 'col' }, head)),
            ),
        ),
        h('tbody', {}, [...receipts].reverse().map(row)),
    );
}
