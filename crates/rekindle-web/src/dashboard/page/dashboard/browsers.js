// The browsers that are connected.

import { byId, h, paint } from './dom.js';
import { browser, count, moment } from './words.js';

/** All of them. */
export function showBrowsers(browsers) {
    paint(byId('browsers'), browsers, () =>
        browsers.length
            ? h('ul', { class: 'browsers' }, browsers.map(row))
            : h(
                  'div',
                  { class: 'empty' },
                  h('p', {}, 'No page is open.'),
                  h(
                      'p',
                      {},
                      'Open one of your site: it is here as soon as it is connected, and follows every save.',
                  ),
              ),
    );
}

const row = (one) =>
    h(
        'li',
        {},
        h('b', { title: one.agent }, browser(one.agent)),
        h('span', { class: 'tag' }, one.transport),
        h(
            'span',
            { class: 'note' },
            'since ',
            h('time', { datetime: one.since, 'data-ago': '', title: moment(one.since) }),
        ),
        h(
            'span',
            { class: 'pages mono' },
            one.pages.filter(Boolean).join('  ') || count(one.pages.length, 'page'),
        ),
    );
