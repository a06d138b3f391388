// Trusted types: a page may refuse plain texts wherever something of them could run, but for those of the policies that
// it lists. The server lists this one.

const trusted = (() => {
    const plain = { createHTML: (text) => text, createScriptURL: (address) => address };
    try {
        return window.trustedTypes ? trustedTypes.createPolicy('rekindle', plain) : plain;
    } catch (error) {
        return plain;
    }
})();
