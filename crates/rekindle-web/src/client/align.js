// Which of the children that were there are which of those that are there now.

// Above this many comparisons a simpler way is gone: the better one takes the product of the two lengths.
const MOST_COMPARISONS = 40000;

// Returns a map from the new ones to the old ones, in the order of both; `likeness(old, fresh)` says how good
// a pair they would be, 0 for none.
function align(old, fresh, likeness) {
    const pairs = new Map();
    let start = 0;
    let [oldEnd, freshEnd] = [old.length, fresh.length];
    while (start < oldEnd && start < freshEnd && old[start].isEqualNode(fresh[start])) {
        pairs.set(fresh[start], old[start]);
        start += 1;
    }
    while (oldEnd > start && freshEnd > start && old[oldEnd - 1].isEqualNode(fresh[freshEnd - 1])) {
        oldEnd -= 1;
        freshEnd -= 1;
        pairs.set(fresh[freshEnd], old[oldEnd]);
    }
    const middle = [old.slice(start, oldEnd), fresh.slice(start, freshEnd)];
    const few = middle[0].length * middle[1].length <= MOST_COMPARISONS;
    (few ? alignBest : alignInTurn)(...middle, likeness, pairs);
    return pairs;
}

// The pairs whose likenesses make the greatest sum: the longest common subsequence, weighted.
function alignBest(old, fresh, likeness, pairs) {
    const weights = old.map((before) => fresh.map((now) => likeness(before, now)));
    const sums = bestSums(weights, old.length, fresh.length);
    for (let i = 0, j = 0; i < old.length && j < fresh.length; ) {
        if (weights[i][j] && sums[i][j] === sums[i + 1][j + 1] + weights[i][j]) {
            pairs.set(fresh[j], old[i]);
            i += 1;
            j += 1;
        } else if (sums[i][j] === sums[i + 1][j]) {
            i += 1;
        } else {
            j += 1;
        }
    }
}

// `sums[i][j]`: the best that can be made of what follows the first `i` and `j`.
function bestSums(weights, rows, columns) {
    const sums = Array.from({ length: rows + 1 }, () => new Array(columns + 1).fill(0));
    for (let i = rows - 1; i >= 0; i -= 1) {
        for (let j = columns - 1; j >= 0; j -= 1) {
            const paired = weights[i][j] ? sums[i + 1][j + 1] + weights[i][j] : 0;
            sums[i][j] = Math.max(paired, sums[i + 1][j], sums[i][j + 1]);
        }
    }
    return sums;
}

// Each with the first one left that it is equal to, or else is like, not far behind the last pair.
function alignInTurn(old, fresh, likeness, pairs) {
    const reach = 50;
    let next = 0;
    fresh.forEach((now) => {
        const ahead = old.slice(next, next + reach);
        let found = ahead.findIndex((before) => before.isEqualNode(now));
        if (found < 0 && ahead.length && likeness(ahead[0], now)) found = 0;
        if (found < 0) return;
        pairs.set(now, ahead[found]);
        next += found + 1;
    });
}
