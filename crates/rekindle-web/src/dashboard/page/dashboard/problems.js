// What is wrong right now, with the lines it is in.

import { inUse } from './changes.js';
import { byId, h, icon, paint } from './dom.js';
import { restoreButton } from './restore.js';
import { count } from './words.js';

/** All problems, those of the engine itself first. Nothing at all where there are none. */
export function showProblems(status, problems, revisions) {
    const container = byId('problems');
    const used = inUse(revisions, status.configs);
    const wayBack = ({ id }) =>
        revisions.find(
            ({ config_name, revision }) =>
                id === `config:${config_name}` && used.get(config_name) === revision,
        );
    const all = [...ofEngine(status), ...problems].map((problem) => ({
        ...problem,
        wayBack: wayBack(problem),
    }));
    container.hidden = all.length === 0;
    paint(container, all, () => [
        h('h2', { id: 'problems-title' }, count(all.length, 'problem')),
        h('div', { class: 'stack' }, all.map(card)),
    ]);
}

const ofEngine = (status) =>
    [
        ['engine', 'Engine degraded', status.degraded],
        ['history', 'History not written', status.history_failure],
        ['control', 'Control socket closed', status.control_failure],
    ]
        .filter(([, , message]) => message)
        .map(([id, title, message]) => ({ id, title, message, frame: [], chain: [] }));

const card = (problem) =>
    h(
        'article',
        { class: 'problem', id: `problem-${problem.id}`, tabindex: -1 },
        h('h3', {}, icon('bad'), ' ', problem.title),
        problem.message
            .split('\n')
            .map((line, index) => h('p', { class: index ? 'advice' : 'message' }, line)),
        problem.file &&
            h(
                'p',
                { class: 'mono place' },
                [problem.file, problem.line, problem.column].filter(Boolean).join(':'),
            ),
        problem.frame.length > 0 && frame(problem.frame),
        problem.chain.length > 0 && h('p', { class: 'mono chain' }, `by way of ${problem.chain.join(' → ')}`),
        problem.wayBack &&
            h(
                'p',
                { class: 'way' },
                restoreButton(
                    problem.wayBack,
                    `Roll back to revision ${problem.wayBack.revision}`,
                    'problem',
                ),
            ),
    );

const frame = (lines) =>
    h(
        'pre',
        { class: 'frame', tabindex: 0, role: 'group', 'aria-label': 'The lines around the problem' },
        lines.map((line) =>
            h(
                'span',
                { class: line.marked ? 'line at' : 'line' },
                h('span', { class: 'number' }, String(line.number)),
                h('span', { class: 'code' }, marked(line)),
            ),
        ),
    );

/** A line's text, with what is wrong marked. Columns count characters, not the units that JavaScript counts. */
function marked({ text, marked }) {
    if (!marked) return text;
    const characters = [...text];
    const [from, to] = [marked[0] - 1, marked[1] - 1];
    const part = (from, to) => characters.slice(from, to).join('');
    return [part(0, from), h('mark', {}, part(from, to) || ' '), part(to)];
}
