// What changed in each generation, and the way back.

import { ask } from './api.js';
import { changed } from './diff.js';
import { byId, h, icon, paint } from './dom.js';
import { restoreButton } from './restore.js';
import { moment, standing, trigger } from './words.js';

/** How many generations are shown at first, and how many more each time. */
const PORTION = 8;

let portion = PORTION;

/** By configuration and revisions, what differs; `undefined` while it is asked for. */
const differences = new Map();

/** The generations, newest first. `again` shows everything anew. */
export function showChanges(status, revisions, fault, again) {
    const names = [...new Set(revisions.map((revision) => revision.config_name))].sort();
    pick(names);
    const of = byId('changes-of').value;
    const all = generations(
        of ? revisions.filter((revision) => revision.config_name === of) : revisions,
        status.configs,
    );
    const shown = all.slice(0, portion);
    for (const entry of shown.flatMap((generation) => generation.entries)) compare(entry, again);
    const known = shown.flatMap((generation) =>
        generation.entries.map((entry) => differences.get(keyOf(entry)) ?? null),
    );
    paint(byId('changes'), [shown, known, all.length, fault], () => {
        if (fault)
            return h('div', { class: 'empty' }, h('p', {}, 'The history cannot be read.'), h('p', {}, fault));
        if (!all.length)
            return h(
                'div',
                { class: 'empty' },
                h('p', {}, 'No revision is kept yet.'),
                h('p', {}, 'Each good save is one, unless the program has switched the history off.'),
            );
        return [
            h('ol', { class: 'generations' }, shown.map(generation)),
            all.length > shown.length &&
                h(
                    'button',
                    {
                        type: 'button',
                        class: 'more',
                        'data-key': 'more',
                        onclick: () => {
                            portion += PORTION;
                            again();
                        },
                    },
                    `Show ${Math.min(PORTION, all.length - shown.length)} earlier of ${all.length - shown.length}`,
                ),
        ].filter(Boolean);
    });
}

/** Offers the configurations that there are. */
function pick(names) {
    const select = byId('changes-of');
    const chosen = select.value;
    byId('pick').hidden = names.length < 2;
    paint(select, names, () => [
        h('option', { value: '' }, 'all configurations'),
        names.map((name) => h('option', { value: name }, name)),
    ]);
    select.value = names.includes(chosen) ? chosen : '';
}

/** Revisions of one generation of one run together, each with the one before it; newest first. */
function generations(revisions, configs) {
    const before = new Map();
    const used = inUse(revisions, configs);
    const found = new Map();
    for (const revision of [...revisions].sort((a, b) => a.revision - b.revision)) {
        const { config_name: name, run, generation } = revision;
        const entry = {
            revision,
            before: before.get(name),
            isUsed: used.get(name) === revision.revision,
            isOnDisk: configs[name]?.state === 'good',
        };
        before.set(name, revision.revision);
        const key = `${run} ${generation}`;
        if (!found.has(key))
            found.set(key, { generation, run, time: revision.time, trigger: revision.trigger, entries: [] });
        found.get(key).entries.push(entry);
    }
    return [...found.values()].sort(
        (a, b) => new Date(b.time) - new Date(a.time) || b.generation - a.generation,
    );
}

/** By configuration, the revision that its value is of: the newest that was not undone. */
export function inUse(revisions, configs) {
    const good = revisions.filter(
        ({ config_name, outcome }) =>
            standing(outcome).state !== 'bad' && typeof configs[config_name]?.generation === 'number',
    );
    return new Map(good.map((revision) => [revision.config_name, revision.revision]));
}

const keyOf = ({ revision, before }) => `${revision.config_name} ${before} ${revision.revision}`;

/** Asks what differs from the revision before, once. */
async function compare(entry, again) {
    const key = keyOf(entry);
    if (entry.before === undefined || differences.has(key)) return;
    differences.set(key, undefined);
    const { config_name, revision } = entry.revision;
    try {
        const answer = await ask('diff', { config_name, revisions: [entry.before, revision] });
        differences.set(key, { changes: answer.configs[0].changes });
    } catch (fault) {
        // It is asked again when there is something new, unless the reason is in the revision itself.
        if (fault.told) differences.set(key, { fault: fault.message });
        else differences.delete(key);
    }
    again();
}

const generation = ({ generation, time, trigger: by, entries }) =>
    h(
        'li',
        { class: 'generation' },
        h(
            'p',
            { class: 'about' },
            h('b', {}, `Generation ${generation}`),
            h(
                'span',
                { class: 'note' },
                trigger(by),
                ', ',
                h('time', { datetime: time, 'data-ago': '', title: moment(time) }),
            ),
        ),
        entries.map(entryOf),
    );

function entryOf(entry) {
    const { revision, isUsed, isOnDisk } = entry;
    const how = standing(revision.outcome);
    return h(
        'section',
        { class: 'entry' },
        h(
            'div',
            { class: 'head' },
            h('h3', {}, revision.config_name, h('span', { class: 'note' }, ` revision ${revision.revision}`)),
            h(
                'span',
                { class: 'state', 'data-state': how.state, title: how.why },
                icon(how.state),
                ` ${how.word}`,
            ),
            isUsed && h('span', { class: 'tag' }, 'in use'),
            !(isUsed && isOnDisk) && restoreButton(revision),
        ),
        how.why && h('p', { class: 'why' }, how.why),
        body(entry),
    );
}

function body(entry) {
    if (entry.before === undefined) {
        return h('p', { class: 'note' }, `The first that is kept, of ${entry.revision.files.join(', ')}.`);
    }
    const told = differences.get(keyOf(entry));
    if (!told) return h('p', { class: 'note' }, 'Looking at what changed…');
    return told.fault ? h('p', { class: 'note' }, told.fault) : changed(told.changes);
}
