// The browser, and what the tests ask of a page.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { chromium } from 'playwright-core';

// Generous: the machine may be busy. Only a test that fails takes so long.
export const LIMIT = 30000;

const FLAGS = [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
];

// A browser with a profile of its own, which goes with it.
export async function launch({ args = [], ...options } = {}) {
    const profile = await mkdtemp(join(tmpdir(), 'rekindle-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
        executablePath: process.env.REKINDLE_CHROMIUM ?? '/usr/bin/chromium',
        headless: true,
        args: [...FLAGS, ...args],
        viewport: { width: 800, height: 600 },
        ...options,
    });
    context.setDefaultTimeout(LIMIT);
    context.profile = profile;
    return context;
}

export async function quit(context) {
    await context.close();
    // Processes of the browser may still be writing into it.
    await rm(context.profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

// Opens a page, and counts what it loads from then on.
export async function open(context, url, prepare = () => {}) {
    const page = await context.newPage();
    page.errors = [];
    page.on('pageerror', (error) => page.errors.push(error));
    page.said = [];
    page.on('console', (message) => page.said.push(`${message.type()}: ${message.text()}`));
    page.loads = 0;
    page.on('domcontentloaded', () => { page.loads += 1; });
    prepare(page);
    await page.goto(url, { waitUntil: 'load' });
    return page;
}

// Waits until `read` gives `expected`; says what it gave last otherwise.
export async function until(page, read, expected, argument) {
    let last;
    try {
        await page.waitForFunction(
            ([source, want, given]) => JSON.stringify((0, eval)(`(${source})`)(given)) === want,
            [read.toString(), JSON.stringify(expected), argument],
            { polling: 20, timeout: LIMIT },
        );
    } catch (error) {
        last = await page.evaluate(read, argument).catch((failure) => failure.message);
        throw new Error(`waited for ${JSON.stringify(expected)}, there was ${JSON.stringify(last)}\n${read}`);
    }
}

// The same asked from here: pages whose policy forbids evaluation can be asked, but cannot wait.
export async function eventually(read, expected) {
    const end = Date.now() + LIMIT;
    for (;;) {
        const found = await read();
        if (isDeepStrictEqual(found, expected)) return;
        if (Date.now() > end) assert.deepEqual(found, expected, read.toString());
        await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
}

// What `promise` gives, or an error that says what did not come.
export async function within(promise, what) {
    let timer;
    const late = new Promise((_, fail) => {
        timer = setTimeout(() => fail(new Error(`waited for ${what} in vain`)), LIMIT);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}

// The computed value of a property.
export const computed = ([selector, property]) =>
    document.querySelector(selector) && getComputedStyle(document.querySelector(selector))[property];

export const text = (selector) => document.querySelector(selector)?.textContent;

// What the overlay shows, or null.
export const overlay = () => document.querySelector('rekindle-overlay')?.shadowRoot.querySelector('.panel')?.innerText ?? null;
