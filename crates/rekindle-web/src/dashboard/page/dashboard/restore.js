// The way back to a revision: asked twice, and told what came of it.

import { ask } from './api.js';
import { changed } from './diff.js';
import { byId, h, icon } from './dom.js';
import { receipt } from './reloads.js';
import { moment } from './words.js';

/** What leads back to a revision. */
export const restoreButton = (revision, words = 'Roll back', place = 'changes') =>
    h(
        'button',
        {
            type: 'button',
            class: 'small',
            'data-key': `restore ${place} ${revision.config_name} ${revision.revision}`,
            'aria-label': `Roll ${revision.config_name} back to revision ${revision.revision}`,
            onclick: ({ currentTarget }) => openRestore(revision, currentTarget.dataset.key),
        },
        icon('undone'),
        ` ${words}`,
    );

/** Asks whether a revision is really to be brought back, and does it. */
function openRestore(revision, from) {
    const { config_name: name, revision: number } = revision;
    const dialog = byId('dialog');
    const preview = h(
        'div',
        { class: 'preview' },
        h('p', { class: 'note' }, 'Looking at what would change…'),
    );
    const cancel = h('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Cancel');
    const go = h('button', { type: 'button', class: 'primary' }, `Roll back to revision ${number}`);
    go.addEventListener('click', () => restore(dialog, revision, [cancel, go]));
    dialog.replaceChildren(
        h('h2', { id: 'dialog-title' }, `Roll ${name} back to revision ${number}?`),
        h(
            'p',
            {},
            `${revision.files.join(', ')}: written as of ${moment(revision.time)}. What is there now is kept as a backup, and nothing is written if the revision is not valid any more.`,
        ),
        preview,
        h('div', { class: 'buttons' }, cancel, go),
    );
    dialog.addEventListener('close', () => goBack(from), { once: true });
    dialog.showModal();
    look(name, number, preview);
}

/** Gives the focus back to where it was: what has it by now may be made anew. */
function goBack(key) {
    const button = [...document.querySelectorAll('[data-key]')].find(
        (element) => element.dataset.key === key,
    );
    (button ?? byId('main')).focus({ preventScroll: true });
}

/** Shows what would change in the values that are in use. */
async function look(name, number, preview) {
    try {
        const { revisions } = await ask('history', { config_name: name });
        const newest = revisions.at(-1).revision;
        if (newest === number) {
            preview.replaceChildren(
                h('p', { class: 'note' }, 'Its values are those in use. What is on disk is replaced.'),
            );
            return;
        }
        const answer = await ask('diff', { config_name: name, revisions: [newest, number] });
        preview.replaceChildren(
            h('p', { class: 'note' }, `Against revision ${newest}, the newest:`),
            changed(answer.configs[0].changes),
        );
    } catch (fault) {
        preview.replaceChildren(h('p', { class: 'note' }, fault.message));
    }
}

async function restore(dialog, { config_name, revision }, buttons) {
    for (const button of buttons) button.disabled = true;
    let told;
    try {
        const done = (await ask('restore', { config_name, revision })).receipt;
        told = [
            receipt(done),
            done.outcome === 'unchanged' &&
                h('p', {}, 'Its values were in use already; its files are as they were.'),
        ]
            .filter(Boolean)
            .flat();
    } catch (fault) {
        told = [
            h('p', { class: 'why' }, fault.message),
            fault.told?.advice && h('p', {}, fault.told.advice),
        ].filter(Boolean);
    }
    const close = h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'Close');
    dialog.replaceChildren(
        h('h2', { id: 'dialog-title' }, `Roll-back of ${config_name} to revision ${revision}`),
        h('div', { role: 'status', class: 'receipt' }, told),
        h('div', { class: 'buttons' }, close),
    );
    close.focus();
}
