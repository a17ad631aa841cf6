package kvasir.metal.tdx;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import kvasir.registry.Bytes;

/** The first record in which two ledgers differ, and why, in words. */
final class LedgerDifference {
    private static final String EXTEND = "TDH.MR.EXTEND";
    private static final String ADD = "TDH.MEM.PAGE.ADD";

    /** What is contributed, whatever its content. */
    private record Place(String leaf, String register, long gpa) {
        static Place of(Ledger.Entry entry) {
            return new Place(entry.leaf(), entry.register(), entry.gpa());
        }
    }

    private final List<Ledger.Entry> first;
    private final List<Ledger.Entry> second;
    private final Set<Place> inFirst;
    private final Set<Place> inSecond;

    LedgerDifference(Ledger first, Ledger second) {
        this.first = first.records();
        this.second = second.records();
        inFirst = places(this.first);
        inSecond = places(this.second);
    }

    private static Set<Place> places(List<Ledger.Entry> entries) {
        return entries.stream().map(Place::of).collect(Collectors.toUnmodifiableSet());
    }

    /** {@code "equal"} if there is none. */
    String words() {
        int common = Math.min(first.size(), second.size());
        for (int i = 0; i < common; i++) {
            Ledger.Entry one = first.get(i);
            Ledger.Entry two = second.get(i);
            if (!Place.of(one).equals(Place.of(two)) || !one.content().equals(two.content())) {
                return "record %d: %s".formatted(i + 1, reason(one, two));
            }
        }
        if (first.size() > common) {
            return "record %d: %s".formatted(common + 1, only("first", "second", first.get(common), inSecond));
        }
        return second.size() > common
                ? "record %d: %s".formatted(common + 1, only("second", "first", second.get(common), inFirst))
                : "equal";
    }

    private String reason(Ledger.Entry one, Ledger.Entry two) {
        if (Place.of(one).equals(Place.of(two))) {
            return contents(one, two);
        }
        if (!inSecond.contains(Place.of(one))) {
            return only("first", "second", one, inSecond);
        }
        if (!inFirst.contains(Place.of(two))) {
            return only("second", "first", two, inFirst);
        }
        String what = "%s in the first, %s in the second: the same contributions in another order: "
                .formatted(name(one), name(two));
        if (one.leaf().equals(EXTEND) && two.leaf().equals(ADD)) {
            return what + passes("first", "second");
        }
        if (one.leaf().equals(ADD) && two.leaf().equals(EXTEND)) {
            return what + passes("second", "first");
        }
        return what + (one.leaf().equals(ADD) ? "the pages are added in another order" : "extended in another order");
    }

    private static String passes(String single, String two) {
        return "the %s extends each page as soon as it is added (single pass), the %s adds all pages of a region first (two pass)"
                .formatted(single, two);
    }

    private static String name(Ledger.Entry entry) {
        return "%s of 0x%x".formatted(entry.leaf(), entry.gpa());
    }

    /** The bytes that the two measured at one place. */
    private static String contents(Ledger.Entry one, Ledger.Entry two) {
        Bytes mine = one.content();
        Bytes theirs = two.content();
        int at = 0;
        while (mine.at(at) == theirs.at(at)) {
            at++;
        }
        String where = one.leaf().equals(EXTEND)
                ? "the page content differs, from 0x%x on".formatted(one.gpa() + at)
                : "the input differs, from byte %d on".formatted(at);
        return "%s: %s: 0x%02x in the first, 0x%02x in the second"
                .formatted(name(one), where, mine.at(at), theirs.at(at));
    }

    /** Why one side has a contribution that the other never makes. */
    private static String only(String has, String lacks, Ledger.Entry entry, Set<Place> others) {
        if (others.contains(Place.of(entry))) {
            return "only the %s has %s a second time".formatted(has, name(entry));
        }
        String what = "only the %s has %s".formatted(has, name(entry));
        var added = new Place(ADD, entry.register(), entry.gpa() & -4096);
        if (entry.leaf().equals(EXTEND) && others.contains(added)) {
            return "%s: the extend is missing in the %s, which added the page without measuring its content"
                    .formatted(what, lacks);
        }
        return switch (entry.leaf()) {
            case ADD -> "%s: the %s never adds that page".formatted(what, lacks);
            case EXTEND -> "%s: the %s neither adds nor extends that page".formatted(what, lacks);
            default -> "%s: the guest of the %s did not extend %s with it".formatted(what, lacks, entry.register());
        };
    }
}
