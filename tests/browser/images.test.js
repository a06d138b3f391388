import assert from 'node:assert/strict';
import { eventually, until } from './support/browser.js';
import { FORMATS } from './support/images.js';
import { suite } from './support/suite.js';

// The colour of the logo's middle, as it is shown by an image with that address.
const shown = (page, selector) => page.evaluate(async (found) => {
    const image = document.querySelector(found);
    for (;;) {
        const address = image.currentSrc;
        try {
            await image.decode();
            break;
        } catch (error) {
            // One that is exchanged while it is being decoded is decoded anew.
            if (image.currentSrc === address) throw error;
        }
    }
    const canvas = document.createElement('canvas').getContext('2d');
    canvas.drawImage(image, 0, 0, 10, 10);
    return [...canvas.getImageData(5, 5, 1, 1).data.slice(0, 3)];
}, selector);

// The colour of an element's middle, as it is on the screen.
async function painted(browser, page, selector) {
    const picture = (await page.locator(selector).screenshot()).toString('base64');
    const maker = await browser.newPage();
    try {
        return await maker.evaluate(async (data) => {
            const bytes = await fetch(`data:image/png;base64,${data}`);
            const image = await createImageBitmap(await bytes.blob());
            const canvas = document.createElement('canvas').getContext('2d');
            canvas.drawImage(image, 0, 0);
            return [...canvas.getImageData(image.width / 2, image.height / 2, 1, 1).data.slice(0, 3)];
        }, picture);
    } finally {
        await maker.close();
    }
}

const RED = [204, 68, 0];
const BLUE = [0, 68, 204];

suite('images', (scenario) => {
    scenario('a saved image is shown at once, with the page as it was', async ({ site, visit }) => {
        const page = await visit();
        await page.fill('[name=name]', 'Grace');
        assert.deepEqual(await shown(page, '#logo'), RED);
        await site.edit('static/logo.svg', '#c40', '#04c');
        await until(page, () => document.querySelector('#logo').src.includes('rekindle='), true);
        assert.deepEqual(await shown(page, '#logo'), BLUE);
        const { src, srcset } = await page.evaluate(() => {
            const logo = document.querySelector('#logo');
            return { src: logo.getAttribute('src'), srcset: logo.getAttribute('srcset') };
        });
        assert.match(src, /^\/static\/logo\.svg\?rekindle=\w+$/);
        assert.match(srcset, /^\/static\/logo\.svg\?rekindle=\w+ 1x, \/static\/logo\.svg\?rekindle=\w+ 2x$/);
        assert.equal(await page.inputValue('[name=name]'), 'Grace');
        assert.equal(page.loads, 1);
    });

    for (const [end, both] of Object.entries(FORMATS)) {
        scenario(`a saved ${end} is shown at once`, async ({ site, browser, visit }) => {
            const maker = await browser.newPage();
            const [before, after] = await both(maker);
            await site.write(`static/picture.${end}`, before);
            const page = await visit();
            const first = await shown(page, '#picture');
            await site.write(`static/picture.${end}`, after);
            await until(page, () => document.querySelector('#picture').src.includes('rekindle='), true);
            const same = async () => String(await shown(page, '#picture')) === String(first);
            await eventually(same, false);
            assert.deepEqual([page.loads, page.errors], [1, []]);
        }, {
            prepare: (site) => site.edit('templates/page.html', '<div class="space">',
                `<img id="picture" src="/static/picture.${end}" alt=""><div class="space">`),
        });
    }

    scenario('an image with a fingerprint is replaced by the one with the next', async ({ site, visit }) => {
        const page = await visit();
        const address = () => new URL(document.querySelector('#picture').src).pathname;
        const first = await page.evaluate(address);
        assert.match(first, /^\/static\/logo[.-][\w.-]+\.svg$/);
        assert.deepEqual(await shown(page, '#picture'), RED);
        await site.edit('static/logo.svg', '#c40', '#04c');
        await page.waitForFunction((before) => !document.querySelector('#picture').src.includes(before), first);
        assert.deepEqual(await shown(page, '#picture'), BLUE);
        assert.equal(page.loads, 1);
    }, {
        prepare: (site) => site.edit('templates/page.html', '<div class="space">',
            '<img id="picture" src="{{ asset(\'logo.svg\') }}" alt=""><div class="space">'),
    });

    scenario('an image is replaced wherever a page can name one', async ({ site, visit }) => {
        const page = await visit();
        await page.evaluate(() => {
            document.querySelector('main').insertAdjacentHTML('beforeend', `<div id="places">
                <picture><source srcset="/static/logo.svg 100w, /static/none.png 200w"><img alt=""></picture>
                <input type="image" src="/static/logo.svg?size=2" alt="">
                <video poster="/static/logo.svg"></video>
                <svg><image href="/static/logo.svg"/><use href="/static/logo.svg#part"/></svg>
                <svg><use xlink:href="/static/logo.svg#part"/></svg>
                <p style="color: red; background: url(/static/logo.svg), url('/static/none.png')"></p>
                <p style="--logo: url('/static/logo.svg')"></p>
            </div>`);
        });
        await site.edit('static/logo.svg', '#c40', '#04c');
        const places = () => document.querySelector('#places').innerHTML.replace(/rekindle=\w+/g, 'NEW')
            .match(/\/static\/[^\s"'&)]*(&amp;NEW)?/g);
        await until(page, places, [
            '/static/logo.svg?NEW', '/static/none.png', '/static/logo.svg?size=2&amp;NEW', '/static/logo.svg?NEW',
            '/static/logo.svg?NEW', '/static/logo.svg?NEW#part', '/static/logo.svg?NEW#part',
            '/static/logo.svg?NEW', '/static/none.png', '/static/logo.svg?NEW',
        ]);
        const icon = () => document.querySelector('link[rel=icon]').href.includes('rekindle=');
        await until(page, icon, true);
    });

    scenario('the candidate of a srcset that the screen takes, and a background, are painted anew', async ({ site, browser, visit }) => {
        const page = await visit();
        const colours = async () => [await painted(browser, page, '#logo'), await painted(browser, page, '#background')];
        assert.deepEqual(await colours(), [RED, RED]);
        await site.edit('static/logo.svg', '#c40', '#04c');
        await until(page, () => document.querySelector('#logo').srcset.includes('rekindle='), true);
        await eventually(colours, [BLUE, BLUE]);
        assert.equal(page.loads, 1);
    });

    scenario('a background is replaced in whatever rule it stands', async ({ site, visit }) => {
        await site.write('static/app.css', `
            @media screen { @layer base { #background { background: url("logo.svg") } } }
            @supports (display: grid) { #title { & a { mask: url('/static/logo.svg') } } }
            @keyframes blink { to { background-image: url(logo.svg?a=1) } }
            :root { --logo: url(logo.svg); }
            #footer { cursor: url(none.png), url(logo.svg), auto }
        `);
        const page = await visit();
        await site.edit('static/logo.svg', '#c40', '#04c');
        const rules = () => [...document.querySelector('#sheet').sheet.cssRules].map((rule) => rule.cssText).join('')
            .replace(/rekindle=\w+/g, 'NEW').match(/url\("?[^)"]*"?\)/g);
        await until(page, rules, [
            'url("/static/logo.svg?NEW")', 'url("/static/logo.svg?NEW")', 'url("/static/logo.svg?a=1&NEW")',
            'url("/static/logo.svg?NEW")', 'url("none.png")', 'url("/static/logo.svg?NEW")',
        ]);
        assert.equal(page.loads, 1);
    });
});
