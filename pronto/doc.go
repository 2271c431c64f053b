// Package pronto is the core of ProntoDB: addresses, entries, caches,
// and the store that keeps them.
//
// A [Store] is one database as seen under one meta. All work happens in a
// transaction of it: [Store.View] reads one snapshot, [Store.Update] writes
// all or nothing. The rules of the commands (what an expiry is, when a write
// is refused) are functions on a transaction, such as [Set] and [Incr], so that
// they hold for every engine. An engine implements [Engine] with its [Store],
// [Reader] and [Writer], and registers itself by name; [Open] finds it.
//
// The package prints nothing, never exits and reads no environment. Times are
// milliseconds since 1970 UTC unless they say otherwise.
package pronto
