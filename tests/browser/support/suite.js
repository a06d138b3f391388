// The same tests for every server.

import { after, before, describe, test } from 'node:test';
import { launch, open, quit } from './browser.js';
import { SERVERS, Site } from './site.js';

// For a test that does not end; each wait in it has a limit of its own.
const TEST_LIMIT = 240000;

// `define(scenario)` names the tests; the body of one is given a site of its own that is being served.
export function suite(name, define, { fixture, command, ...browserOptions } = {}) {
    if (!SERVERS.length) throw new Error('REKINDLE_TEST_SERVERS names no server; run these tests with `cargo xtask browser`');
    for (const server of SERVERS) {
        describe(`${name} (${server.name})`, () => {
            let browser;
            before(async () => { browser = await launch(browserOptions); });
            after(() => quit(browser));
            define((title, body, options = {}) => {
                test(title, { timeout: TEST_LIMIT }, () => run(server, browser, body, { fixture, command, ...options }));
            });
        });
    }
}

async function run(server, browser, body, { fixture, command, prepare, environment }) {
    const site = await Site.copy(server.program, { fixture, args: command });
    try {
        if (prepare) await prepare(site);
        await site.start(environment);
        await body({ site, browser, visit: (path = '/') => open(browser, site.url + path) });
    } finally {
        await Promise.all(browser.pages().map((page) => page.close()));
        await site.remove();
    }
}
