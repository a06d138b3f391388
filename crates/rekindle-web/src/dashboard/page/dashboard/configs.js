// Every configuration, how it is, and each of its values with its origin.

import { byId, h, icon, paint } from './dom.js';
import { say } from './tip.js';
import { count, inline, isMasked, state, steps } from './words.js';

/** The configurations that are unfolded; `undefined` until somebody has chosen. */
let chosen;

/** Up to how many configurations the first one is unfolded at the start; what is not good always is. */
const FEW = 6;

const filter = () => byId('filter').value.trim().toLowerCase();

/** The configurations whose values are to be shown: of others they need not be asked for. */
export function wanted(status) {
    const configs = Object.entries(status.configs);
    return filter() ? configs.map(([name]) => name) : (chosen ?? atFirst(configs));
}

/**
 * All configurations. `values` has those of the ones that are wanted, by name, as far as they are known yet;
 * `again` asks for what is missing and shows everything anew.
 */
export function showConfigs(status, values, again) {
    const wanted = filter();
    const configs = Object.entries(status.configs);
    byId('filter').hidden = !configs.length;
    const open = new Set(chosen ?? atFirst(configs));
    const rows = configs.map(([name, config]) => ({
        name,
        config,
        values: of(name, values.get(name), wanted),
    }));
    const shown = wanted ? rows.filter((row) => row.values?.length) : rows;
    const fold = (name) => {
        if (!open.delete(name)) open.add(name);
        chosen = [...open];
        again();
    };
    paint(byId('configs'), [shown, [...open], wanted], () => {
        if (!configs.length)
            return empty(
                'There is no configuration yet.',
                'Put a file like config/app.toml below the root: it is here as soon as it is saved.',
            );
        if (!shown.length)
            return empty(
                `No value has “${wanted}” in its name or content.`,
                'Names are those of the path to a value, such as server/port.',
            );
        return shown.map((row) => section(row, wanted !== '' || open.has(row.name), fold));
    });
}

const empty = (what, advice) => h('div', { class: 'empty' }, h('p', {}, what), h('p', {}, advice));

function atFirst(configs) {
    const isShown = ([, config], index) =>
        (index === 0 && configs.length <= FEW) || state(config).state === 'bad';
    return configs.filter(isShown).map(([name]) => name);
}

function of(name, values, wanted) {
    const has = (value) => `${name}${value.pointer} ${inline(value.value)}`.toLowerCase().includes(wanted);
    return wanted ? values?.filter(has) : values;
}

function section({ name, config, values }, isOpen, fold) {
    const id = `config-${name}`;
    const how = state(config);
    return h(
        'section',
        { class: 'config' },
        h(
            'h3',
            {},
            h(
                'button',
                {
                    type: 'button',
                    class: 'fold',
                    'data-key': id,
                    'aria-expanded': String(isOpen),
                    'aria-controls': id,
                    onclick: () => fold(name),
                },
                h('span', { class: 'turn' }, icon('open')),
                h('span', { class: 'name' }, name),
                h('span', { class: 'state', 'data-state': how.state }, icon(how.state), ' ', how.word),
                h(
                    'span',
                    { class: 'note' },
                    config.generation === null ? 'never good' : `generation ${config.generation}`,
                ),
            ),
        ),
        h('div', { id, class: 'inside', hidden: !isOpen }, isOpen && inside(name, config, values)),
    );
}

function inside(name, config, values) {
    return [
        h('p', { class: 'files mono' }, config.files.length ? config.files.join(', then ') : 'no file'),
        config.shadowed.map(({ used, ignored }) =>
            h('p', { class: 'warn' }, `${ignored} is not read, because there is ${used}.`),
        ),
        config.error &&
            h(
                'p',
                { class: 'warn' },
                h('a', { href: `#problem-config:${name}` }, 'What is on disk is not in use'),
                `: ${config.error.message}`,
            ),
        waiting(config.pending),
        values ? list(name, config, values) : h('p', { class: 'note' }, 'Reading the values…'),
    ];
}

function list(name, config, values) {
    if (!values.length) {
        const isNone = config.generation === null;
        return h(
            'p',
            { class: 'empty' },
            isNone ? 'No value is in use: there never was a good one.' : 'It has no values.',
        );
    }
    const rows = values.map((value, index) => row(value, index));
    return h('ul', { class: 'values', 'aria-label': `Values of ${name}`, onkeydown: walk }, rows);
}

/** The fields that wait for a restart. */
function waiting(pending) {
    if (!pending.length) return undefined;
    const side = (value) => (value === undefined ? 'nothing' : inline(value));
    return h(
        'div',
        { class: 'waiting' },
        h(
            'p',
            {},
            icon('pending'),
            ` ${count(pending.length, 'value')} on disk ${pending.length === 1 ? 'waits' : 'wait'} for a restart:`,
        ),
        h(
            'ul',
            {},
            pending.map((field) =>
                h(
                    'li',
                    { class: 'mono' },
                    `${field.pointer}: ${side(field.running)} → ${side(field.on_disk)}`,
                ),
            ),
        ),
    );
}

/** A value. One of them is in the order of the tab key, the others are reached by the arrows. */
function row(value, index) {
    const path = steps(value.pointer);
    const leaf = path.pop() ?? 'all of it';
    const item = h(
        'li',
        { tabindex: index ? -1 : 0, 'data-key': `${value.config_name}${value.pointer}` },
        h(
            'span',
            { class: 'key' },
            path.length > 0 && h('span', { class: 'path' }, `${path.join(' / ')} / `),
            h('b', {}, leaf),
        ),
        h(
            'span',
            { class: 'content mono', 'data-type': typeof value.value },
            isMasked(value.value) ? [icon('lock'), ' secret'] : inline(value.value),
        ),
        h('span', { class: 'layer' }, value.pending && icon('pending'), value.origin?.layer ?? ''),
    );
    return say(item, () => origins(value));
}

/** Where a value is from, and what it overrode. */
function origins(value) {
    const [used, ...overridden] = value.layers;
    const text = (layer) => (isMasked(layer.value) ? 'secret' : inline(layer.value));
    return [
        h(
            'p',
            { class: 'from' },
            h('b', {}, value.origin?.text ?? used?.origin.text ?? 'unknown'),
            value.origin && ` (${value.origin.layer})`,
        ),
        h('p', { class: 'mono full' }, isMasked(value.value) ? 'secret, not shown' : inline(value.value)),
        value.pending && h('p', {}, 'What is on disk waits for a restart.'),
        overridden.length > 0 &&
            h(
                'ul',
                { class: 'over' },
                overridden.map((layer) =>
                    h(
                        'li',
                        {},
                        'over ',
                        h('s', { class: 'mono' }, text(layer)),
                        ` from ${layer.origin.text} (${layer.origin.layer})`,
                    ),
                ),
            ),
    ].filter(Boolean);
}

const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/** Goes from value to value by the arrow keys. */
function walk(event) {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const rows = [...event.currentTarget.children];
    const at = rows.indexOf(document.activeElement);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    for (const row of rows) row.tabIndex = row === next ? 0 : -1;
    next.focus();
}
