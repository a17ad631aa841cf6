package kvasir.kvm.tdx;

import java.util.ArrayList;
import java.util.List;

/** What KVM keeps of one TD vCPU (struct vcpu_tdx). */
final class TdxVcpu {
    final int id;
    final long tdvpr;
    final List<Long> pages = new ArrayList<>();
    final TdxRun run;

    /** @param tdvpr HPA of the TDVPR page */
    TdxVcpu(int id, long tdvpr, TdxRun run) {
        this.id = id;
        this.tdvpr = tdvpr;
        this.run = run;
    }
}
