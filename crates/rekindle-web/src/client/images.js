// Images: every place that can name one is given a new address. Browsers keep the old image until the new is
// there.

const XLINK = 'http://www.w3.org/1999/xlink';

// Where an address stands alone in an attribute.
const ADDRESSES = [
    ['img[src], input[type="image" i][src], embed[src]', 'src'],
    ['video[poster]', 'poster'],
    ['object[data]', 'data'],
    ['link[rel~="icon" i], link[rel|="apple-touch-icon" i], link[rel="mask-icon" i]', 'href'],
    ['image[href], use[href], feImage[href]', 'href'],
];

function replaceImage(update) {
    const replacement = new Replacement(update);
    roots().forEach((root) => {
        ADDRESSES.forEach(([selector, name]) => replaceAttribute(root, selector, name, replacement));
        replaceSrcsets(root, replacement);
        replaceXlinks(root, replacement);
        root.querySelectorAll('[style]').forEach(({ style }) => replaceInStyle(style, replacement));
        [...root.styleSheets].forEach((sheet) => replaceInSheet(sheet, replacement));
    });
}

function replaceAttribute(root, selector, name, replacement) {
    root.querySelectorAll(selector).forEach((element) => {
        const now = replacement.of(element.getAttribute(name));
        if (now) element.setAttribute(name, now);
    });
}

function replaceSrcsets(root, replacement) {
    root.querySelectorAll('img[srcset], source[srcset]').forEach((element) => {
        const before = element.getAttribute('srcset');
        const now = replacement.inSrcset(before);
        if (now !== before) element.setAttribute('srcset', now);
    });
}

function replaceXlinks(root, replacement) {
    root.querySelectorAll('image, use, feImage').forEach((element) => {
        const now = replacement.of(element.getAttributeNS(XLINK, 'href'));
        if (now) element.setAttributeNS(XLINK, 'xlink:href', now);
    });
}

// All properties at once: a `url()` may be in a background, a mask, a cursor, a list, a variable.
function replaceInStyle(style, replacement, base) {
    if (!style.cssText.includes('url(')) return;
    const now = replacement.inCss(style.cssText, base);
    if (now !== style.cssText) style.cssText = now;
}

// Rules hold rules: of media, layers and containers, of keyframes, nested ones, and imported sheets.
function replaceInSheet(sheet, replacement) {
    const base = sheet ? sheetBase(sheet) : '';
    const visit = (rule) => {
        if (rule.styleSheet) replaceInSheet(rule.styleSheet, replacement);
        if (rule.style && rule.type !== CSSRule.FONT_FACE_RULE) replaceInStyle(rule.style, replacement, base);
        if (rule.cssRules) [...rule.cssRules].forEach(visit);
    };
    rulesOf(sheet).forEach(visit);
}
