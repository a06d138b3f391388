// Values in, words for people out. Nothing here knows of the page.

/** Microseconds, with three digits that count. */
export function duration(us) {
    if (us === 0) return '0';
    if (us < 1000) return `${us} µs`;
    if (us < 1e6) return `${digits(us / 1000)} ms`;
    if (us < 6e7) return `${digits(us / 1e6)} s`;
    const seconds = Math.round(us / 1e6);
    return `${Math.floor(seconds / 60)} min${seconds % 60 ? ` ${seconds % 60} s` : ''}`;
}

const digits = (number) => String(Number(number.toPrecision(number < 100 ? 2 : 3)));

/** So many of something. */
export const count = (number, one, many = `${one}s`) =>
    `${number.toLocaleString('en')} ${number === 1 ? one : many}`;

/** The time of day. */
export const clock = (time) => new Date(time).toLocaleTimeString('en-GB');

/** The day and the time of day. */
export const moment = (time) =>
    new Date(time).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** How long ago it was. */
export function ago(time, now) {
    const seconds = Math.max(0, Math.round((now - new Date(time)) / 1000));
    if (seconds < 5) return 'just now';
    if (seconds < 60) return `${seconds} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
    return count(Math.floor(seconds / 86400), 'day') + ' ago';
}

/** The names on the way to a value: `/a/b~1c` is `a`, `b/c`. */
export const steps = (pointer) =>
    pointer
        .split('/')
        .slice(1)
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

/** A value in one line. */
export const inline = (value) => JSON.stringify(value);

/** A value in lines. */
export const lines = (value) => JSON.stringify(value, null, 2).split('\n');

/** What is in place of every secret. */
export const isMasked = (value) => value === '***';

const TRIGGERS = {
    start: 'start of the program',
    files: 'files changed',
    reload: 'asked for',
    signal: 'signal',
    update: 'update by the program',
    rollback: 'roll-back',
    remote: 'the shared store',
    undo: 'undone by itself',
};

/** What set a reload off. */
export const trigger = (name) => TRIGGERS[name] ?? name;

/** How a reload went: a word, and the state that it stands for. */
export const outcome = (name) =>
    ({
        applied: { word: 'applied', state: 'good' },
        unchanged: { word: 'nothing changed', state: 'same' },
        refused: { word: 'refused', state: 'bad' },
        'rolled-back': { word: 'rolled back', state: 'undone' },
    })[name] ?? { word: name, state: 'same' };

/** What became of a revision. */
export function standing(outcome) {
    switch (outcome.state) {
        case 'confirmed':
            return { word: 'confirmed', state: 'good' };
        case 'rolled-back':
            return { word: 'undone', state: 'bad', why: outcome.reason };
        case 'crashed':
            return { word: 'the program crashed with it', state: 'bad' };
        default:
            return { word: outcome.crashes ? 'crashed once' : 'not confirmed yet', state: 'pending' };
    }
}

/** How a configuration is. */
export function state(config) {
    if (config.state !== 'good') return { word: `degraded: ${config.drift}`, state: 'bad' };
    if (config.pending.length) return { word: 'pending restart', state: 'pending' };
    return { word: 'good', state: 'good' };
}

/** What browsers have in their texts, the particular before what all have; and by what their versions are told. */
const NAMES = [
    ['Edg/', 'Edge'],
    ['OPR/', 'Opera'],
    ['Firefox/', 'Firefox'],
    ['Chrome/', 'Chrome'],
    ['Version/', 'Safari'],
];
const SYSTEMS = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux'];

/** A browser by what it calls itself. */
export function browser(agent) {
    if (!agent) return 'unknown';
    const [mark, name] = NAMES.find(([mark]) => agent.includes(mark)) ?? [];
    if (!name) return agent.slice(0, 60);
    const version = agent.split(mark)[1].match(/^\d+/)?.[0] ?? '';
    const system = SYSTEMS.find((system) => agent.includes(system));
    return [`${name} ${version}`.trim(), system && `on ${system}`].filter(Boolean).join(' ');
}

const MOST_LINES = 200;

/** What differs between two lists of lines: of each line `[sign, text]`, the sign ` `, `-` or `+`. */
export function difference(old, now) {
    if (old.length > MOST_LINES || now.length > MOST_LINES) {
        return [...old.map((line) => ['-', line]), ...now.map((line) => ['+', line])];
    }
    const length = common(old, now);
    const told = [];
    let [i, j] = [0, 0];
    while (i < old.length || j < now.length) {
        if (i < old.length && j < now.length && old[i] === now[j]) told.push([' ', old[i++]]) && j++;
        else if (j >= now.length || (i < old.length && length[i + 1][j] >= length[i][j + 1]))
            told.push(['-', old[i++]]);
        else told.push(['+', now[j++]]);
    }
    return told;
}

/** How many lines the rests of two lists have in common, by where the rests begin. */
function common(old, now) {
    const length = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
    for (let i = old.length - 1; i >= 0; i--) {
        for (let j = now.length - 1; j >= 0; j--) {
            length[i][j] =
                old[i] === now[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
        }
    }
    return length;
}
