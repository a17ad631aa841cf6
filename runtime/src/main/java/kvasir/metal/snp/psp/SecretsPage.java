package kvasir.metal.snp.psp;

import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.Rule;

/** The secrets page that firmware writes for a guest (SNP ABI, secrets page; Linux {@code struct snp_secrets_page}). */
final class SecretsPage {
    private static final int VERSION = 0x000;
    private static final int IMI = 0x004;
    private static final int FMS = 0x008;
    private static final int GOSVW = 0x010;
    private static final int VMPCK = 0x020;

    private SecretsPage() {}

    static void write(Platform platform, GuestContext context, long spa) {
        PhysicalMemory memory = platform.memory;
        memory.discard(spa >>> 12);
        memory.write32(spa + VERSION, platform.rules.holds(Rule.SECRETS_VERSION_IS_3) ? 3 : 2);
        memory.write32(spa + IMI, context.has(GuestContext.Flag.IMI) ? 1 : 0);
        memory.write32(spa + FMS, platform.config.familyModelStepping());
        memory.write(spa + GOSVW, context.gosvw().toArray(), 0, 16);
        for (int vmpl = 0; vmpl < 4; vmpl++) {
            memory.write(spa + VMPCK + 32L * vmpl, context.vmpck(vmpl).toArray(), 0, 32);
        }
    }
}
