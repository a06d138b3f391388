// The fleet that the program is one of: how far a rollout is, and how each instance is.

import { byId, h, icon, paint } from './dom.js';
import { leadButtons } from './lead.js';
import { count } from './words.js';

/** How many instances are shown; those that are not as they should be come first. */
const MOST = 200;

const OUTCOMES = {
    promoted: ['good', 'all use it'],
    refused: ['bad', 'refused, and nobody used it'],
    'rolled-back': ['undone', 'taken back'],
    aborted: ['undone', 'aborted'],
};

const VERDICTS = {
    accepted: ['same', 'accepts it'],
    applied: ['pending', 'tries it'],
    healthy: ['good', 'is well with it'],
    refused: ['bad', 'refuses it'],
    sick: ['bad', 'is not well with it'],
};

/** All of it; nothing where the program is not one of a fleet. */
export function showFleet(fleet) {
    byId('fleet').hidden = !fleet;
    if (!fleet) return;
    const { head, instances = [], coordinator, trouble } = fleet;
    byId('fleet-note').textContent = head
        ? `${count(instances.length, 'instance')}${coordinator ? `, led by ${coordinator}` : ''}`
        : '';
    paint(byId('rollout'), [head, trouble, tally(head, instances)], () => [
        trouble && h('p', { class: 'warn' }, icon('pending'), ` What is shown may be old: ${trouble}.`),
        head && rollout(head, instances),
    ].filter(Boolean));
    paint(byId('instances'), [instances, head?.stable, head?.candidate?.release], () =>
        head ? table(head, instances) : [],
    );
}

const same = (one, other) =>
    Boolean(one && other) &&
    one.line === other.line &&
    one.rollout === other.rollout &&
    one.payload === other.payload;

const named = (release) => `Rollout ${release.rollout} of ${release.payload.slice(0, 8)}`;

/** What an instance says of the candidate. */
const verdict = (instance, candidate) =>
    same(instance.answer?.release, candidate?.release) ? instance.answer.verdict : undefined;

/** How many have said what of the candidate. */
function tally(head, instances) {
    const said = instances.map((instance) => verdict(instance, head?.candidate)?.is).filter(Boolean);
    return {
        accepted: said.filter((is) => is !== 'refused').length,
        healthy: said.filter((is) => is === 'healthy').length,
    };
}

function rollout(head, instances) {
    if (head.candidate) return onItsWay(head.candidate, tally(head, instances), instances.length);
    if (!head.last) return h('p', { class: 'note' }, 'Nothing has been published yet.');
    const [state, word] = OUTCOMES[head.last.outcome] ?? ['same', head.last.outcome];
    return h(
        'div',
        { class: 'rollout' },
        h(
            'p',
            {},
            h('b', {}, named(head.last.release)),
            ' ',
            h('span', { class: 'state', 'data-state': state }, icon(state), ` ${word}`),
        ),
        head.last.reason && h('p', { class: 'why' }, head.last.reason),
        head.stable && !same(head.stable, head.last.release) &&
            h('p', { class: 'note' }, `${named(head.stable)} is in use.`),
    );
}

function onItsWay(candidate, { accepted, healthy }, all) {
    return h(
        'div',
        { class: 'rollout' },
        h(
            'div',
            { class: 'lead' },
            h('p', {}, h('b', {}, named(candidate.release)), `: ${accepted} of ${all} accept it, ${healthy} well with it`),
            leadButtons(candidate),
        ),
        h('ol', { class: 'steps', 'aria-label': 'Steps of the rollout' }, steps(candidate)),
        candidate.paused &&
            h(
                'p',
                { class: 'waits' },
                icon('pending'),
                ` It waits for a person: ${candidate.paused.reason}.`,
            ),
    );
}

function steps({ plan, stage }) {
    const now = stage.name === 'step' ? stage.number + 1 : 0;
    const names = ['validated', ...plan.steps.map(nameOf)];
    return names.map((name, number) => {
        const state = number < now ? 'done' : number === now ? 'now' : 'next';
        const word = { done: 'done: ', now: 'now: ', next: '' }[state];
        return h(
            'li',
            { 'data-step': state, 'aria-current': state === 'now' && 'step' },
            h('span', { class: 'aside' }, word),
            name,
        );
    });
}

const nameOf = (step) => ('share' in step ? `${step.share / 10} %` : `${step.label.key}=${step.label.value}`);

/** Those that are not as they should be first, then by name. */
function ordered(head, instances) {
    const isOdd = (one) => {
        const said = verdict(one, head.candidate)?.is;
        if (one.trouble || said === 'refused' || said === 'sick') return 0;
        return said === 'applied' ? 1 : 2;
    };
    return instances
        .map((one) => ({ one, rank: isOdd(one) }))
        .sort((a, b) => a.rank - b.rank || (a.one.id < b.one.id ? -1 : 1))
        .map(({ one }) => one);
}

function table(head, instances) {
    if (!instances.length)
        return h(
            'div',
            { class: 'empty' },
            h('p', {}, 'No instance is there.'),
            h('p', {}, 'One is, from the moment that it joins until its lease ends.'),
        );
    const shown = ordered(head, instances).slice(0, MOST);
    const columns = ['Instance', 'Uses', 'Generation', 'Says', 'Version', 'Labels'];
    const rest = instances.length - shown.length;
    return [
        h(
            'div',
            { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Instances', 'data-key': 'instances' },
            h(
                'table',
                { class: 'list fleet' },
                h('thead', {}, h('tr', {}, columns.map((name) => h('th', { scope: 'col' }, name)))),
                h('tbody', {}, shown.map((one) => row(head, one))),
            ),
        ),
        rest > 0 ? h('p', { class: 'note' }, `and ${rest} more, which are as they should be`) : [],
    ];
}

function row(head, one) {
    return h(
        'tr',
        {},
        h('th', { scope: 'row' }, h('b', {}, one.id)),
        h('td', {}, uses(head, one)),
        h('td', {}, String(one.generation)),
        h('td', { class: 'says' }, says(head, one)),
        h('td', {}, one.version || ''),
        h(
            'td',
            {},
            Object.entries(one.labels ?? {}).map(([key, value]) => h('span', { class: 'tag' }, `${key}=${value}`)),
        ),
    );
}

function uses(head, { applied }) {
    if (!applied) return 'nothing of the store';
    const text = `rollout ${applied.rollout}`;
    return same(applied, head.candidate?.release) ? h('b', {}, text) : text;
}

function says(head, one) {
    const said = verdict(one, head.candidate);
    const [state, word] = (said && VERDICTS[said.is]) ?? [];
    return [
        state && h('span', { class: 'state', 'data-state': state }, icon(state), ` ${word}`),
        said?.why && h('p', { class: 'why' }, said.why),
        one.trouble && h('p', { class: 'why' }, one.trouble),
    ];
}
