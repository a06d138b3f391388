// The time line of reloads: a bar each, as high as it took long, in its stages.

import { h, s } from './dom.js';
import { axis } from './scale.js';
import { say } from './tip.js';
import { clock, duration, outcome, trigger } from './words.js';

/** The stages of a reload, in order, and what there is beside them: a wait for other configurations. */
export const STAGES = ['settle', 'load', 'validate', 'prepare', 'commit', 'notify', 'other'];

/** How long each stage took, in microseconds. */
export function stages({ stages_us: told }) {
    const sum = STAGES.reduce((sum, stage) => sum + (told[stage] ?? 0), 0);
    return { ...told, other: Math.max(0, told.total - sum) };
}

const HEIGHT = 220;
const [TOP, RIGHT, BOTTOM, LEFT] = [20, 8, 40, 56];
const [WIDEST, NARROWEST, GAP] = [22, 8, 4];
const WIDTH_OF_LABEL = 48;

/** The glyphs below the bars, in a square of 8 around the middle. */
const GLYPHS = {
    good: 'M-3 0-1 2.500 3.500-2.500',
    same: 'M-3-1.500H3M-3 1.500H3',
    bad: 'M-3-3 3 3M-3 3 3-3',
    undone: 'M-1-3.500-3.500-1-1 1.500M-3.500-1H1a2 2 0 0 1 0 4H-1',
};

/** The chart of as many reloads as there is room for, the newest on the right. */
export function chart(receipts, width, about) {
    const room = Math.max(width - LEFT - RIGHT, NARROWEST);
    const fits = receipts.slice(-Math.max(1, Math.floor(room / (NARROWEST + GAP))));
    const pitch = Math.min(WIDEST + GAP, room / fits.length);
    const { top, marks } = axis(fits.map((receipt) => receipt.stages_us.total));
    const plan = {
        width,
        pitch,
        top,
        from: width - RIGHT - pitch * fits.length,
        labelled: labelled(fits, pitch, top),
    };
    const picture = s(
        'svg',
        {
            class: 'chart',
            width,
            height: HEIGHT,
            viewBox: `0 0 ${width} ${HEIGHT}`,
            role: 'group',
            'aria-label': `How long the last ${fits.length} reloads took, in stages. The arrow keys go from one to the next.`,
            onkeydown: walk,
        },
        marks.map((mark) => level(mark, plan)),
        fits.map((receipt, index) => bar(receipt, index, fits.length, plan, about)),
        times(fits, plan),
    );
    return [picture, legend(fits)];
}

const heightOf = (us, top) => (Math.min(us, top) / top) * (HEIGHT - TOP - BOTTOM);

/** A line of the scale, and what it stands for. */
function level(us, { top, width }) {
    const y = HEIGHT - BOTTOM - heightOf(us, top);
    return [
        s('line', { class: us ? 'grid' : 'base', x1: LEFT, x2: width - RIGHT, y1: y, y2: y }),
        s(
            'text',
            { class: 'mark', x: LEFT - 8, y: y + 4, 'text-anchor': 'end', 'aria-hidden': 'true' },
            duration(Math.round(us)),
        ),
    ];
}

/** A reload. */
function bar(receipt, index, count, plan, about) {
    const x = plan.from + plan.pitch * index;
    const width = Math.max(2, plan.pitch - GAP);
    const total = receipt.stages_us.total;
    const { word, state } = outcome(receipt.outcome);
    const label = `Reload ${receipt.id} at ${clock(receipt.at)}, ${trigger(receipt.trigger)}: ${word}, ${duration(total)}`;
    const element = s(
        'g',
        {
            class: 'bar',
            role: 'img',
            tabindex: index === count - 1 ? 0 : -1,
            'data-key': `reload-${receipt.id}`,
            'aria-label': label,
        },
        s('rect', {
            class: 'hit',
            x: x - GAP / 2,
            y: 4,
            width: plan.pitch,
            height: HEIGHT - BOTTOM + 14,
            rx: 3,
        }),
        stack(receipt, x, width, plan),
        total > plan.top && cut(x, width, plan.labelled.has(receipt) && duration(total)),
        s('path', {
            class: 'glyph',
            'data-state': state,
            d: GLYPHS[state],
            transform: `translate(${x + width / 2} ${HEIGHT - BOTTOM + 11})`,
        }),
    );
    return say(element, () => about(receipt));
}

/** Its stages, one on top of the other. */
function stack(receipt, x, width, { top }) {
    const took = stages(receipt);
    let below = 0;
    const pieces = STAGES.map((stage) => {
        const height = Math.max(0, heightOf(below + took[stage], top) - heightOf(below, top));
        const y = HEIGHT - BOTTOM - heightOf(below, top) - height;
        below += took[stage];
        return (
            isSeen(stage, took) &&
            s('rect', {
                class: 'stage',
                'data-stage': stage,
                x,
                y,
                width,
                height: Math.max(height - (height > 3 ? 1 : 0), 0.75),
            })
        );
    });
    return pieces;
}

/** Of the bars that are longer than there is room, those that have room to say how long they are. */
function labelled(fits, pitch, top) {
    const found = new Set();
    let free = 0;
    fits.forEach((receipt, index) => {
        if (receipt.stages_us.total <= top || index * pitch < free) return;
        found.add(receipt);
        free = index * pitch + WIDTH_OF_LABEL;
    });
    return found;
}

/** A bar that is longer than there is room: it is broken, and may say how long it is. */
function cut(x, width, label) {
    const y = TOP + 8;
    return [
        s('path', {
            class: 'cut',
            d: `M${x - 2} ${y + 3}L${x + width + 2} ${y - 3}V${y + 1}L${x - 2} ${y + 7}Z`,
        }),
        label &&
            s(
                'text',
                {
                    class: 'mark',
                    x: x + width / 2,
                    y: TOP - 6,
                    'text-anchor': 'middle',
                    'aria-hidden': 'true',
                },
                label,
            ),
    ];
}

/** When they were: of the first, the last, and those between that there is room for. */
function times(fits, { from, pitch, width }) {
    const every = Math.max(1, Math.ceil(76 / pitch));
    const marked = fits
        .map((receipt, index) => [receipt, index])
        .filter(([, index]) => (fits.length - 1 - index) % every === 0);
    let said;
    return marked.map(([receipt, index]) => {
        const time = clock(receipt.at);
        if (time === said) return undefined;
        said = time;
        const x = from + pitch * index + (pitch - GAP) / 2;
        const isLast = x > width - 34;
        return (
            x > 28 &&
            s(
                'text',
                {
                    class: 'mark',
                    x: isLast ? width - RIGHT : x,
                    y: HEIGHT - 6,
                    'text-anchor': isLast ? 'end' : 'middle',
                    'aria-hidden': 'true',
                },
                time,
            )
        );
    });
}

/** Whether there is enough of a stage to be seen in a bar. */
const isSeen = (stage, took) => took[stage] > 0 && (stage !== 'other' || took.other > took.total / 50);

/** What the colours and the glyphs stand for, as far as there are such. */
function legend(fits) {
    const seen = STAGES.filter((stage) => fits.some((receipt) => isSeen(stage, stages(receipt))));
    const outcomes = new Map(
        fits.map((receipt) => outcome(receipt.outcome)).map(({ word, state }) => [state, word]),
    );
    const glyph = (state) =>
        s(
            'svg',
            { class: 'icon', viewBox: '-6 -6 12 12', width: 14, height: 14, 'aria-hidden': 'true' },
            s('path', { class: 'glyph', 'data-state': state, d: GLYPHS[state] }),
        );
    return h(
        'ul',
        { class: 'legend', 'aria-label': 'Legend' },
        seen.map((stage) => h('li', {}, h('span', { class: 'swatch', 'data-stage': stage }), stage)),
        [...outcomes].map(([state, word]) => h('li', {}, glyph(state), word)),
    );
}

const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };

/** Goes from bar to bar by the arrow keys. */
function walk(event) {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const bars = [...event.currentTarget.querySelectorAll('.bar')];
    const at = bars.indexOf(document.activeElement);
    const next = bars[Math.max(0, Math.min(bars.length - 1, at + step))];
    for (const bar of bars) bar.setAttribute('tabindex', bar === next ? 0 : -1);
    next.focus();
}
