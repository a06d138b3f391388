// What a person can do about a rollout: let it go on, stop it, end it.

import { ask } from './api.js';
import { byId, h, notice } from './dom.js';

const DONE = {
    approve: ['good', 'The rollout goes on.'],
    pause: ['pending', 'The rollout stays where it is until somebody approves it.'],
    abort: ['undone', 'The rollout has ended: everybody goes back to what was in use.'],
};

/** What can be done about a candidate as it is. */
export const leadButtons = (candidate) =>
    h(
        'div',
        { class: 'buttons' },
        candidate.paused
            ? button('approve', 'Approve', () => lead('approve'), 'primary')
            : button('pause', 'Pause', () => lead('pause')),
        button('abort', 'Abort…', ({ currentTarget }) => confirmAbort(candidate, currentTarget.dataset.key)),
    );

const button = (action, words, onclick, style = '') =>
    h('button', { type: 'button', class: `small ${style}`.trim(), 'data-key': `rollout ${action}`, onclick }, words);

async function lead(action, reason) {
    try {
        await ask('rollout', { action, reason });
        const [state, words] = DONE[action];
        notice(state, h('p', {}, words));
    } catch (fault) {
        notice('bad', h('p', {}, fault.message));
    }
}

/** Asks whether it is really to be ended, and why. */
function confirmAbort({ release }, from) {
    const dialog = byId('dialog');
    const reason = h('input', { type: 'text', id: 'reason', autocomplete: 'off', maxlength: 200 });
    const end = () => {
        dialog.close();
        lead('abort', reason.value);
    };
    reason.addEventListener('keydown', ({ key }) => key === 'Enter' && end());
    dialog.replaceChildren(
        h('h2', { id: 'dialog-title' }, `Abort rollout ${release.rollout}?`),
        h('p', {}, 'All that use it go back to what was in use before it.'),
        h('p', { class: 'reason' }, h('label', { for: 'reason' }, 'Why (all will see it)'), reason),
        h(
            'div',
            { class: 'buttons' },
            h('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Cancel'),
            h('button', { type: 'button', class: 'primary', onclick: end }, 'Abort the rollout'),
        ),
    );
    const back = () => {
        const again = [...document.querySelectorAll('[data-key]')].find((one) => one.dataset.key === from);
        (again ?? byId('main')).focus({ preventScroll: true });
    };
    dialog.addEventListener('close', back, { once: true });
    dialog.showModal();
}
