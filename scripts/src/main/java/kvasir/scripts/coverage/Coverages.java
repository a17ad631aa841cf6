package kvasir.scripts.coverage;

import java.util.List;

/** All coverages that can be measured. */
public final class Coverages {
    private static final List<Coverage> ALL = List.of(
            new ErrnoCoverage(),
            new IoctlCoverage(),
            LeafCoverage.seamcall(),
            LeafCoverage.tdcall(),
            new SnpCoverage());

    private Coverages() {}

    /** In the order of the help. */
    public static List<Coverage> all() {
        return ALL;
    }
}
