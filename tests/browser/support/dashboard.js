// What is asked of the dashboard's page. Its policy allows nothing to be evaluated in it later, so that all is asked for from here.

import assert from 'node:assert/strict';
import { LIMIT } from './browser.js';

// Waits until `read` gives `expected`.
export async function until(page, read, expected, argument) {
    const end = Date.now() + LIMIT;
    for (;;) {
        const found = await page.evaluate(read, argument);
        if (JSON.stringify(found) === JSON.stringify(expected)) return;
        if (Date.now() > end) assert.deepEqual(found, expected, read.toString());
        await page.waitForTimeout(20);
    }
}

export async function assertSound(page) {
    assert.deepEqual(page.errors, []);
    const faults = page.said.filter((line) => line.startsWith('error') || line.startsWith('warning'));
    assert.deepEqual(faults, []);
    assert.equal(await page.evaluate(() => window.sameLoad), true);
}

// What is wider than the page, but for what can be scrolled by itself.
export function overflowing() {
    const width = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll('body *')].filter((element) => {
        const isOut =
            element.getBoundingClientRect().right > width + 1 &&
            getComputedStyle(element).visibility !== 'hidden';
        return isOut && !element.closest('.wide, .diff, .frame, .skip, [hidden]');
    });
    // A text that is longer than its box, where that is not shortened on purpose.
    const cut = [...document.querySelectorAll('.tile *, .card *, .problem *, .top *')].filter((element) => {
        const isCut = element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1;
        return (
            isCut &&
            getComputedStyle(element).textOverflow !== 'ellipsis' &&
            !element.closest('.wide, .diff, .frame, .where, .aside')
        );
    });
    wide.push(...cut);
    const page = document.documentElement.scrollWidth > width ? ['the page'] : [];
    return [...page, ...wide.map((element) => `${element.tagName}.${element.className}`)];
}

// The texts that are too pale for what they are on, by WCAG 2.2 at level AA.
export function pale() {
    const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
    const channel = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const light = (colour) => {
        const [red, green, blue] = numbers(colour).map((part) => channel(part / 255));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if ((numbers(colour)[3] ?? 1) === 1) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    const contrast = (one, other) => {
        const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
        return (bright + 0.05) / (dark + 0.05);
    };
    const told = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.getClientRects().length) continue;
        const style = getComputedStyle(element);
        const colour = element.closest('svg') ? style.fill : style.color;
        const size = parseFloat(style.fontSize);
        const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
        const found = contrast(colour, behind(element));
        if (found < least) told.push(`${texts.currentNode.data.trim()}: ${found.toFixed(2)}`);
    }
    return told;
}
