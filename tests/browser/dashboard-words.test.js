// The parts of the dashboard that know of no page.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const PLACE = new URL('../../crates/rekindle-web/src/dashboard/page/dashboard/', import.meta.url);

// Served as modules they are, but for Node a file is one only where a package says so.
async function load(name) {
    const source = await readFile(new URL(name, PLACE), 'utf8');
    return import(`data:text/javascript,${encodeURIComponent(source)}`);
}

const { ago, browser, difference, duration, standing, state, steps } = await load('words.js');
const { axis } = await load('scale.js');

test('a duration has the digits that count and the unit that fits', () => {
    const cases = [
        [0, '0'],
        [7, '7 µs'],
        [999, '999 µs'],
        [1234, '1.2 ms'],
        [250400, '250 ms'],
        [1500000, '1.5 s'],
        [61e6, '1 min 1 s'],
        [119.7e6, '2 min'],
    ];
    for (const [us, expected] of cases) assert.equal(duration(us), expected);
});

test('a time is told by how long ago it was, and one that is yet to come is now', () => {
    const now = Date.parse('2026-01-02T03:04:05Z');
    const cases = [
        [0, 'just now'],
        [-90, 'just now'],
        [59, '59 s ago'],
        [60, '1 min ago'],
        [7200, '2 h ago'],
        [86400, '1 day ago'],
        [864000, '10 days ago'],
    ];
    for (const [seconds, expected] of cases) assert.equal(ago(now - seconds * 1000, now), expected);
});

test('a pointer is taken apart as RFC 6901 says', () => {
    assert.deepEqual(steps(''), []);
    assert.deepEqual(steps('/a/b~1c/~01/'), ['a', 'b/c', '~1', '']);
});

test('two lists of lines have what they have in common', () => {
    const told = (old, now) =>
        difference([...old], [...now])
            .map(([sign, line]) => sign + line)
            .join(' ');
    assert.equal(told('abcd', 'acde'), ' a -b  c  d +e');
    assert.equal(told('', 'ab'), '+a +b');
    assert.equal(told('ab', ''), '-a -b');
    assert.equal(told('ab', 'ab'), ' a  b');
    assert.equal(difference(Array(300).fill('x'), ['x']).length, 301);
});

test('an axis reaches over all bars, but for the few that are far longer', () => {
    assert.deepEqual(axis([4100]), { top: 5000, marks: [0, 1000, 2000, 3000, 4000, 5000] });
    const { top } = axis([...Array(20).fill(1000), 900000]);
    assert.ok(top >= 1000 && top < 3000, top);
    for (const totals of [[], [0], [1], [0, 0, 9], [5e9]]) {
        const { top, marks } = axis(totals);
        assert.ok(
            top >= Math.max(0, ...totals) && marks.length >= 2 && marks.length <= 7,
            JSON.stringify({ totals, top, marks }),
        );
    }
});

test('a state is told by a word and by what it stands for', () => {
    assert.deepEqual(state({ state: 'degraded', drift: 'invalid', pending: [] }), {
        word: 'degraded: invalid',
        state: 'bad',
    });
    assert.deepEqual(state({ state: 'good', pending: [{}] }), { word: 'pending restart', state: 'pending' });
    assert.deepEqual(state({ state: 'good', pending: [] }), { word: 'good', state: 'good' });
    assert.equal(standing({ state: 'rolled-back', reason: 'ill' }).why, 'ill');
    assert.equal(standing({ state: 'unconfirmed', crashes: 0 }).state, 'pending');
});

test('a browser is named by what it calls itself', () => {
    const chrome =
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36';
    assert.equal(browser(chrome), 'Chrome 148 on Linux');
    assert.equal(browser(`${chrome} Edg/148.0.0.0`), 'Edge 148 on Linux');
    assert.equal(
        browser('Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Version/19.1 Safari/605.1.15'),
        'Safari 19 on Mac OS',
    );
    assert.equal(browser('curl/8.0'), 'curl/8.0');
    assert.equal(browser(null), 'unknown');
});
