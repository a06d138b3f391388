import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertSound, overflowing, pale, until } from './support/dashboard.js';
import { suite } from './support/suite.js';

async function prepare(site) {
    const config = join(site.directory, 'config');
    await mkdir(config, { recursive: true });
    await writeFile(join(config, 'app.toml'), 'port = 1\n');
}

// The dashboard of one of a fleet, among which a rollout waits for a person.
async function waiting(visit) {
    const page = await visit('/_rekindle/');
    await page.waitForSelector('.waits');
    await page.evaluate(() => {
        window.sameLoad = true;
    });
    return page;
}

const step = () => document.querySelector('.steps [aria-current=step]')?.textContent;
const outcome = () => document.querySelector('#rollout .state')?.textContent.trim();
const healthy = () =>
    [...document.querySelectorAll('.fleet tbody tr')]
        .filter((row) => row.textContent.includes('is well with it'))
        .map((row) => row.querySelector('th').textContent);

suite('the dashboard of a fleet', (scenario) => {
    const led = (title, body) => scenario(title, body, { prepare, environment: { FLEET: '1' } });

    led('a rollout is led step by step until all use it', async ({ visit }) => {
        const page = await waiting(visit);
        assert.match(await page.textContent('#fleet-note'), /^5 instances, led by orders-\d$/);
        assert.equal(await page.locator('.fleet tbody tr').count(), 5);
        await until(page, step, 'now: validated');
        await page.click('text=Approve');
        await until(page, step, 'now: zone=eu');
        await until(page, healthy, ['orders-1', 'orders-2']);
        assert.match(await page.textContent('#rollout'), /5 of 5 accept it, 2 well with it/);
        for (const next of ['now: 80 %', 'now: 100 %']) {
            await page.waitForSelector('.waits');
            await page.click('text=Approve');
            await until(page, step, next);
        }
        await page.waitForSelector('.waits');
        await page.click('text=Approve');
        await until(page, outcome, 'all use it');
        assert.match(await page.textContent('#notice'), /The rollout goes on/);
        await assertSound(page);
    });

    led('a rollout is aborted, with a reason that all see', async ({ visit }) => {
        const page = await waiting(visit);
        await page.click('text=Approve');
        await until(page, step, 'now: zone=eu');
        await page.waitForSelector('.waits');
        await page.click('text=Abort…');
        await page.keyboard.press('Escape');
        await until(page, () => document.activeElement.dataset.key, 'rollout abort');
        await page.click('text=Abort…');
        await page.fill('#reason', '<b>orders</b> are down');
        await page.keyboard.press('Enter');
        await until(page, outcome, 'aborted');
        assert.equal(await page.textContent('#rollout .why'), '<b>orders</b> are down');
        assert.match(await page.textContent('#rollout'), /Rollout 1 of [0-9a-f]{8} is in use/);
        await until(page, () => new Set([...document.querySelectorAll('.fleet td:nth-child(2)')].map((cell) => cell.textContent)).size, 1);
        await assertSound(page);
    });

    for (const width of [320, 820, 1600]) {
        led(`nothing is cut or too pale at ${width} pixels, light and dark`, async ({ visit }) => {
            const page = await waiting(visit);
            await page.click('text=Approve');
            await until(page, step, 'now: zone=eu');
            await page.waitForSelector('.waits');
            await page.setViewportSize({ width, height: 900 });
            await until(page, overflowing, []);
            for (const colorScheme of ['light', 'dark']) {
                await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
                assert.deepEqual(await page.evaluate(pale), [], colorScheme);
                assert.deepEqual(await page.evaluate(overflowing), [], colorScheme);
            }
            await assertSound(page);
        });
    }
});
