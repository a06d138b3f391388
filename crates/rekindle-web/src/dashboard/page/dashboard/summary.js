// The line at the top, and what is known of the engine at the bottom.

import { byId, h, icon, paint } from './dom.js';
import { count, duration, state } from './words.js';

const COLOURS = { good: '#1a7f37', same: '#566070', pending: '#9a6700', bad: '#cf222e' };

/** How everything is, in a line. */
export function showSummary(status, problems, browsers) {
    const configs = Object.values(status.configs);
    const bad = configs.filter((config) => state(config).state === 'bad').length;
    const pending = configs.filter((config) => config.pending.length).length;
    const all = overall(status, problems, bad, pending);
    heading(status, all);
    const total = status.durations_us.total;
    const pages = browsers.reduce((sum, browser) => sum + browser.pages.length, 0);
    const tiles = [
        tile('State', [icon(all.state), ' ', all.word], all.note, all.state),
        tile('Configurations', configs.length, `generation ${status.generation}`),
        tile(
            'Reloads',
            status.reloads.toLocaleString('en'),
            `${status.refused} refused, ${status.rollbacks} rolled back`,
        ),
        tile(
            'Median time',
            total.count ? duration(total.p50) : '–',
            total.count ? `99 % within ${duration(total.p99)}` : 'no reload yet',
        ),
        tile('Browsers', browsers.length, count(pages, 'open page')),
    ];
    paint(
        byId('summary'),
        [
            all,
            configs.length,
            status.generation,
            status.reloads,
            status.refused,
            status.rollbacks,
            total,
            browsers.length,
            pages,
        ],
        () => h('dl', { class: 'tiles' }, tiles),
    );
}

const NOTHING = { state: 'same', word: 'Nothing yet', note: 'no configuration is there' };

function overall(status, problems, bad, pending) {
    if (bad) return { state: 'bad', word: `${bad} degraded`, note: 'the last good values are in use' };
    if (problems.length)
        return {
            state: 'bad',
            word: count(problems.length, 'problem'),
            note: 'the last good state is in use',
        };
    if (status.degraded) return { state: 'bad', word: 'Engine degraded', note: 'it may miss changes' };
    if (pending)
        return {
            state: 'pending',
            word: 'Pending restart',
            note: `${count(pending, 'configuration')} with held values`,
        };
    if (!Object.keys(status.configs).length) return NOTHING;
    return { state: 'good', word: 'All good', note: 'what is on disk is in use' };
}

const tile = (name, value, note, state) =>
    h(
        'div',
        { class: 'tile', 'data-state': state },
        h('dt', {}, name),
        h('dd', { class: 'value' }, value instanceof Array ? value : String(value)),
        h('dd', { class: 'note' }, note),
    );

/** Says so where the page is not seen as well: in the title and the icon of its tab. */
function heading(status, all) {
    const name = status.root.split(/[\\/]/).at(-1);
    document.title = `${all.state === 'good' ? '' : `${all.word}: `}${name} · rekindle`;
    byId('root').textContent = status.root;
    byId('root').title = status.root;
    byId('environment').textContent = status.environment;
    byId('environment').hidden = !status.environment;
    const fill = encodeURIComponent(COLOURS[all.state]);
    document.querySelector('link[rel="icon"]').href =
        `data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="${fill}"/></svg>`;
}

/** What else there is to know, for those who look for it. */
export function showEngine(status) {
    const facts = [
        ['Version', status.version],
        ['Process', status.pid],
        ['Fingerprint', status.fingerprint],
        ['Directories watched', status.watched_dirs],
        ['Directories polled', status.polled_dirs],
        ['Rescans', status.rescans],
        ['Overflows', status.overflows],
        ['Found without notice', status.reconciled],
        ['Failed handlers', status.handler_failures],
        ['Control socket', status.control_socket ?? 'closed'],
    ];
    paint(byId('engine'), facts, () =>
        h(
            'dl',
            { class: 'facts' },
            facts.map(([name, value]) =>
                h('div', {}, h('dt', {}, name), h('dd', { class: 'mono' }, String(value))),
            ),
        ),
    );
}
