// Writes the pictures of the overlay and the dashboard that README.md shows: `npm run screenshots`.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, open, quit } from './support/browser.js';
import { address } from './support/site.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const IMAGES = join(ROOT, 'docs/images');

const WIDE = { name: '', viewport: { width: 1280, height: 894 } };
const PHONE = { name: 'phone-', viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

// The programs, built as needed: their paths by their names.
function build() {
    const args = ['build', '--workspace', '--all-features', '--bin', 'rekindle', '--example', 'dashboard', '--message-format', 'json'];
    const lines = execFileSync('cargo', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 }).toString().split('\n');
    const built = lines.filter((line) => line.includes('"executable":"')).map((line) => JSON.parse(line));
    return Object.fromEntries(built.map(({ target, executable }) => [target.name, executable]));
}

// Runs `body` with the address that a server says, in a directory whose name may be seen in a picture.
async function serve({ name, from, program, args }, body) {
    const directory = join(tmpdir(), name);
    await mkdir(directory);
    try {
        if (from) await cp(from, directory, { recursive: true });
        const child = spawn(program, args(directory), { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] });
        try {
            await body(await address(child), directory);
        } finally {
            child.kill();
            await once(child, 'exit');
        }
    } finally {
        await rm(directory, { recursive: true });
    }
}

// The page as `prepare` leaves it, on a screen and a phone, in light and dark.
async function take(name, url, prepare) {
    for (const { name: device, ...screen } of [WIDE, PHONE]) {
        const browser = await launch(screen);
        try {
            const page = await open(browser, url);
            await prepare(page);
            for (const colorScheme of ['light', 'dark']) {
                await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
                await page.screenshot({ path: join(IMAGES, `${name}-${device}${colorScheme}.png`), animations: 'disabled' });
            }
        } finally {
            await quit(browser);
        }
    }
}

async function overlay(url, directory) {
    const file = join(directory, 'templates/partials/header.html');
    const source = await readFile(file, 'utf8');
    await take('overlay', url, async (page) => {
        await writeFile(file, source);
        await page.waitForFunction(() => !document.querySelector('rekindle-overlay'));
        await writeFile(file, source.replace('for link in', 'for link of'));
        await page.waitForSelector('rekindle-overlay .panel');
    });
}

async function dashboard(url) {
    await take('dashboard', `${url}/_rekindle/`, async (page) => {
        await page.waitForSelector('#link[data-state=live]');
        await page.waitForSelector('.generation');
        await page.waitForSelector('.problem');
    });
}

const { rekindle, dashboard: example } = build();
await mkdir(IMAGES, { recursive: true });
await serve({ name: 'site', from: join(ROOT, 'examples/site'), program: rekindle, args: (directory) => ['dev', directory, '--port', '0'] }, overlay);
await serve({ name: 'orders', program: example, args: (directory) => [directory] }, dashboard);
