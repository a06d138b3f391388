// From a save to the style that a page computes, for pages that take turns.
//
//     node measure.js ROUNDS URL ROOT
//
// URL and ROOT are those of a running server of rekindle. Vite is started here, on a site of its own. Prints
// a JSON object: the milliseconds of each case.

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [rounds, url, root] = process.argv.slice(2);
const now = () => performance.timeOrigin + performance.now();

// Saves as most editors do, and gives the time before it.
async function save(file, text) {
    await writeFile(`${file}.tmp`, text);
    const began = now();
    await rename(`${file}.tmp`, file);
    return began;
}

const style = (number) => `h1 { order: ${number} }\n`;

async function viteSite() {
    const site = await mkdtemp(join(tmpdir(), 'rekindle-bench-vite-'));
    const head = '<!doctype html><html><head><title>A page</title>';
    await writeFile(join(site, 'index.html'), `${head}<link rel="stylesheet" href="/linked.css"></head><body><h1>A page</h1></body></html>`);
    await writeFile(join(site, 'imported.html'), `${head}<script type="module" src="/main.js"></script></head><body><h1>A page</h1></body></html>`);
    await writeFile(join(site, 'main.js'), "import './imported.css';\n");
    for (const name of ['linked', 'imported']) await writeFile(join(site, `${name}.css`), style(0));
    await mkdir(join(site, 'public'));
    return site;
}

// Starts Vite as its users do; gives the address once it says it.
async function startVite(site) {
    const bin = new URL('node_modules/vite/bin/vite.js', import.meta.url).pathname;
    const vite = spawn(process.execPath, [bin, site, '--host', '127.0.0.1', '--port', '0'], {
        env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'inherit'],
    });
    const address = await new Promise((found, failed) => {
        let said = '';
        vite.stdout.on('data', (data) => {
            said += data;
            const match = said.match(/http:\/\/127\.0\.0\.1:\d+/);
            if (match) found(match[0]);
        });
        vite.on('exit', () => failed(new Error(`Vite ended: ${said}`)));
    });
    return { vite, address };
}

// In the page: when the heading has that order.
function computed(order) {
    return new Promise((done, late) => {
        const limit = performance.now() + 20000;
        const look = () => {
            const at = performance.now();
            if (getComputedStyle(document.querySelector('h1')).order === order) done(performance.timeOrigin + at);
            else if (at > limit) late(new Error(`the page never had order ${order}`));
            else setTimeout(look, 0);
        };
        look();
    });
}

async function measure(browser, cases) {
    const times = Object.fromEntries(cases.map(({ name }) => [name, []]));
    for (const one of cases) {
        one.page = await browser.newPage();
        await one.page.goto(one.url, { waitUntil: 'load' });
        // The sockets are open some time after the page is.
        await one.page.waitForTimeout(1000);
    }
    for (let round = 1; round <= Number(rounds) + 3; round += 1) {
        for (const { name, file, page } of cases) {
            const seen = page.evaluate(computed, String(1000 + round));
            // Neither in step with timers nor before the page looks.
            await page.waitForTimeout(100 + Math.random() * 50);
            const began = await save(file, style(1000 + round));
            const ended = await seen;
            // The first ones begin caches and connections.
            if (round > 3 || Number(rounds) < 3) times[name].push(ended - began);
        }
    }
    return times;
}

const site = await viteSite();
const { vite, address } = await startVite(site);
const browser = await chromium.launch({
    executablePath: process.env.REKINDLE_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
});
try {
    const times = await measure(browser, [
        { name: 'rekindle', url, file: join(root, 'static/app.css') },
        { name: 'Vite, linked stylesheet', url: `${address}/`, file: join(site, 'linked.css') },
        { name: 'Vite, imported stylesheet', url: `${address}/imported.html`, file: join(site, 'imported.css') },
    ]);
    console.log(JSON.stringify(times));
} finally {
    await browser.close();
    vite.removeAllListeners('exit');
    vite.kill();
    await rm(site, { recursive: true, force: true });
}
