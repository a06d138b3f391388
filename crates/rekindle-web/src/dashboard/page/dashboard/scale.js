// Durations in, the axis that they are drawn on out. Nothing here knows of the page.

/** How much longer than the others a reload may take before its bar is cut, so that they can be read. */
const FAR = 4;

/** How many steps the axis has at the most. */
const MOST = 5;

/** The top of the axis and its marks, in microseconds. */
export function axis(totals) {
    const top = topOf(totals);
    const step = nice(top / MOST);
    const marks = [];
    for (let mark = 0; mark < top + step * 0.99; mark += step) marks.push(mark);
    return { top: marks.at(-1), marks };
}

function topOf(totals) {
    const sorted = [...totals].sort((a, b) => a - b);
    const longest = Math.max(sorted.at(-1) ?? 0, 100);
    const usual = sorted[Math.floor(sorted.length * 0.8)] ?? longest;
    return longest > usual * FAR && usual > 0 ? Math.max(usual * 1.3, 100) : longest;
}

/** The next of 1, 2, 2.5, 5, 10, 20, ... */
function nice(size) {
    const power = 10 ** Math.floor(Math.log10(size));
    return [1, 2, 2.5, 5, 10].find((factor) => factor * power >= size * 0.999) * power;
}
