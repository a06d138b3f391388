import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertSound, overflowing, pale, until } from './support/dashboard.js';
import { suite } from './support/suite.js';

const APP = `title = "Orders"
markup = "<img src=x onerror=window.markup=1>"

[server]
port = 8080
workers = 4

[session]
key = "hunter2hunter2"
`;

const SCHEMA = {
    properties: {
        server: { properties: { workers: { type: 'integer', 'x-rekindle': 'restart' } } },
        session: { properties: { key: { 'x-rekindle': 'secret' } } },
    },
};

async function prepare(site) {
    const config = join(site.directory, 'config');
    await mkdir(config, { recursive: true });
    await writeFile(join(config, 'app.toml'), APP);
    await writeFile(join(config, 'app.local.toml'), '[server]\nport = 8081\n');
    await writeFile(join(config, 'app.schema.json'), JSON.stringify(SCHEMA));
    await writeFile(join(config, 'db.toml'), 'size = 1\n');
}

// The dashboard, with everything on it that is there at first.
async function dashboard(visit) {
    const page = await visit('/_rekindle/');
    await page.waitForSelector('#link[data-state=live]');
    await page.waitForSelector('.values > li');
    await page.waitForSelector('.generation');
    await page.evaluate(() => {
        window.sameLoad = true;
    });
    return page;
}

const row = (page, name) => page.locator('.values > li', { hasText: name });

const problems = () => document.querySelectorAll('.problem').length;

const content = (name) => {
    const rows = [...document.querySelectorAll('.values > li')];
    return rows.find((row) => row.querySelector('b').textContent === name)?.querySelector('.content')
        .textContent;
};

const isShown = (selector) => {
    const box = document.querySelector(selector);
    return Boolean(box && !box.hidden && box.getClientRects().length);
};

suite('dashboard', (scenario) => {
    const told = (title, body) => scenario(title, body, { prepare });

    told('every value is shown with its origin when it has the focus or is pointed at', async ({ visit }) => {
        const page = await dashboard(visit);
        await row(page, 'port').focus();
        assert.match(
            await page.textContent('#tip'),
            /config\/app\.local\.toml:2:8.*over 8080 from config\/app\.toml:5:8/,
        );
        assert.equal(await row(page, 'port').getAttribute('aria-describedby'), 'tip');
        await page.keyboard.press('Escape');
        await until(page, isShown, false, '#tip');
        await row(page, 'title').hover();
        await until(page, isShown, true, '#tip');
        assert.match(await page.textContent('#tip'), /config\/app\.toml:1:9/);
        await page.hover('#tip');
        await page.mouse.move(2, 2);
        await until(page, isShown, false, '#tip');
        await assertSound(page);
    });

    told('no secret gets into the page, and no text of a file becomes markup', async ({ site, visit }) => {
        const page = await dashboard(visit);
        await site.edit('config/app.toml', 'hunter2hunter2', 'swordfish');
        await page.waitForSelector('.generation:nth-child(2)');
        await page.waitForSelector('.row.added');
        await row(page, 'key').focus();
        const all = await page.content();
        assert.ok(!/hunter2|swordfish/.test(all));
        assert.match(await page.textContent('#tip'), /secret, not shown/);
        assert.equal(await page.evaluate(content, 'markup'), '"<img src=x onerror=window.markup=1>"');
        assert.equal(await page.evaluate(() => [window.markup, document.images.length].join()), ',0');
        await assertSound(page);
    });

    told('a save is shown at once, and the focus stays where it is', async ({ site, visit }) => {
        const page = await dashboard(visit);
        await row(page, 'port').focus();
        for (let port = 1; port <= 5; port += 1) {
            await site.write('config/app.local.toml', `[server]\nport = ${port}\n`);
            await until(page, content, String(port), 'port');
        }
        assert.equal(
            await page.evaluate(() => document.activeElement.querySelector('b').textContent),
            'port',
        );
        assert.match(await page.textContent('#tip'), /^config\/app\.local\.toml:2:8 \(local\)5/);
        await until(page, () => document.querySelector('.row.added')?.textContent, '+/server/port = 5');
        await assertSound(page);
    });

    told('a value that waits for a restart is shown as such', async ({ site, visit }) => {
        const page = await dashboard(visit);
        await site.edit('config/app.toml', 'workers = 4', 'workers = 8');
        await page.waitForSelector('.fold .state[data-state=pending]');
        assert.match(
            await page.textContent('.waiting'),
            /1 value on disk waits for a restart:\/server\/workers: 4 → 8/,
        );
        assert.equal(await page.evaluate(content, 'workers'), '4');
        await assertSound(page);
    });

    told('a broken file is shown with its lines until it is mended', async ({ site, visit }) => {
        const page = await dashboard(visit);
        await site.edit('config/db.toml', 'size = 1', 'size = ]');
        await until(page, problems, 1);
        assert.equal(await page.textContent('.frame .at mark'), ']');
        assert.match(await page.textContent('.problem .place'), /^config\/db\.toml:1:8$/);
        assert.match(await page.title(), /^1 degraded: /);
        await page.click('.warn a');
        assert.equal(await page.evaluate(() => document.activeElement.className), 'problem');
        await site.edit('config/db.toml', 'size = ]', 'size = 2');
        await until(page, problems, 0);
        await until(page, isShown, false, '#problems');
        assert.doesNotMatch(await page.title(), /degraded/);
        await assertSound(page);
    });

    told('a broken file is mended by going back to what is in use', async ({ site, visit }) => {
        const page = await dashboard(visit);
        await site.edit('config/db.toml', 'size = 1', 'size = ]');
        await page.click('.problem .way button');
        await page.waitForSelector('.preview >> text=What is on disk is replaced');
        await page.click('dialog .primary');
        await until(page, problems, 0);
        assert.equal(await site.read('config/db.toml'), 'size = 1\n');
        await assertSound(page);
    });

    told(
        'a roll-back is asked for twice and says what came of it, by keyboard alone',
        async ({ site, visit }) => {
            const page = await dashboard(visit);
            await site.write('config/db.toml', 'size = 2\n');
            const button = page.locator('#changes button[aria-label="Roll db back to revision 1"]');
            await button.focus();
            await page.keyboard.press('Enter');
            await page.waitForSelector('dialog .row.removed');
            assert.deepEqual(await page.locator('dialog .row').allTextContents(), [
                '−/size = 2',
                '+/size = 1',
            ]);
            assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
            await page.keyboard.press('Escape');
            await until(page, isShown, false, 'dialog');
            await until(page, () => document.activeElement.ariaLabel, 'Roll db back to revision 1');
            assert.equal(await site.read('config/db.toml'), 'size = 2\n');

            await page.keyboard.press('Enter');
            await page.waitForSelector('dialog .row.removed');
            await page.keyboard.press('Tab');
            assert.equal(
                await page.evaluate(() => document.activeElement.textContent),
                'Roll back to revision 1',
            );
            await page.keyboard.press('Enter');
            await page.waitForSelector('dialog .receipt');
            assert.match(await page.textContent('.receipt'), /applied: db, generation \d/);
            assert.equal(await site.read('config/db.toml'), 'size = 1\n');
            await page.keyboard.press('Enter');
            await until(page, isShown, false, 'dialog');
            await assertSound(page);
        },
    );

    told('the reloads can be gone through by the arrow keys and read as a table', async ({ site, visit }) => {
        const page = await dashboard(visit);
        await site.write('config/db.toml', 'size = 2\n');
        await page.waitForSelector('.bar');
        await page.click('#reload');
        await page.waitForSelector('.bar >> nth=1');
        await page.waitForSelector('.notice');
        await page.locator('.bar[tabindex="0"]').focus();
        await page.keyboard.press('Home');
        const [first, second] = await page.locator('.bar').all();
        assert.ok(await first.evaluate((bar) => bar === document.activeElement));
        assert.match(await page.textContent('#tip'), /^Reload \d+ at [\d:]+: .*settle.*validate.*total/s);
        await page.keyboard.press('ArrowRight');
        assert.ok(await second.evaluate((bar) => bar === document.activeElement));
        await page.click('.table-of summary');
        const rows = await page.locator('#reloads tbody tr').count();
        assert.equal(rows, await page.locator('.bar').count());
        await assertSound(page);
    });

    told('values are found by their names and contents', async ({ visit }) => {
        const page = await dashboard(visit);
        await page.fill('#filter', 'orders');
        await until(page, () => [...document.querySelectorAll('.values b')].map((name) => name.textContent), [
            'title',
        ]);
        await page.fill('#filter', 'size');
        await until(
            page,
            () => [...document.querySelectorAll('.config .name')].map((name) => name.textContent),
            ['db'],
        );
        await page.fill('#filter', 'no such thing');
        await page.waitForSelector('#configs .empty');
        assert.match(await page.textContent('#configs'), /No value has “no such thing”/);
        await assertSound(page);
    });

    told('everything is reached by the tab key, and what has the focus is seen', async ({ visit }) => {
        const page = await dashboard(visit);
        await page.click('#reload');
        await page.waitForSelector('.bar');
        await page.reload();
        await page.waitForSelector('.bar');
        await page.waitForSelector('.values > li');
        const reached = [];
        for (let step = 0; step < 40; step += 1) {
            await page.keyboard.press('Tab');
            const at = await page.evaluate(() => {
                const element = document.activeElement;
                const isSeen = element.matches('.bar') || getComputedStyle(element).outlineStyle !== 'none';
                return element === document.body
                    ? null
                    : [
                          element.id || element.className.baseVal || element.className || element.tagName,
                          isSeen,
                      ];
            });
            if (!at) break;
            assert.ok(at[1], `${at[0]} does not show that it has the focus`);
            reached.push(at[0]);
        }
        assert.equal(reached[0], 'skip');
        for (const name of ['reload', 'filter', 'fold', 'LI', 'bar', 'SUMMARY', 'changes-of']) {
            assert.ok(reached.includes(name), `${name} is not among ${reached}`);
        }
    });

    told('it goes on after a restart of the server, without being loaded anew', async ({ site, visit }) => {
        const page = await dashboard(visit);
        await site.stop();
        await page.waitForSelector('#link[data-state=lost]');
        await site.write('config/db.toml', 'size = 7\n');
        await site.start();
        await page.waitForSelector('#link[data-state=live]');
        await page.click('.fold >> text=db');
        await until(page, content, '7', 'size');
        assert.deepEqual(page.errors, []);
        assert.equal(await page.evaluate(() => window.sameLoad), true);
    });

    for (const width of [320, 390, 820, 1600]) {
        told(`nothing is cut or too pale at ${width} pixels, light and dark`, async ({ site, visit }) => {
            const page = await dashboard(visit);
            await site.edit('config/app.toml', 'workers = 4', 'workers = 8');
            await page.waitForSelector('.waiting');
            await site.edit('config/db.toml', 'size = 1', `size = "${'long '.repeat(80)}`);
            await page.waitForSelector('.problem');
            await page.setViewportSize({ width, height: 900 });
            await page.click('.table-of summary');
            await until(page, overflowing, []);
            for (const colorScheme of ['light', 'dark']) {
                await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
                await row(page, 'port').focus();
                assert.deepEqual(await page.evaluate(pale), [], colorScheme);
                assert.deepEqual(await page.evaluate(overflowing), [], colorScheme);
            }
            assert.equal(
                await page.evaluate(
                    () => getComputedStyle(document.querySelector('.turn')).transitionProperty,
                ),
                'none',
            );
            await assertSound(page);
        });
    }
});
