package kvasir.vmm;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kvasir.kvm.mmu.TdpEntry;
import kvasir.kvm.mmu.TdpRange;
import kvasir.kvm.mmu.TdpTable;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpSlot;
import kvasir.metal.snp.psp.Ledger;
import kvasir.registry.Api;

/** Every declaration that scripts can come across, known before any machine exists: for checks, help and the manual. */
public final class Declarations {
    private Declarations() {}

    /** What stands behind the names that every script sees. */
    public static Map<String, Api<?>> globals() {
        var globals = new java.util.LinkedHashMap<String, Api<?>>();
        globals.put("machine", MachineHandle.API);
        globals.put("host", HostHandle.API);
        return globals;
    }

    /** Each class once, in the order of a reader. */
    public static List<Api<?>> all() {
        Set<Api<?>> apis = new LinkedHashSet<>(globals().values());
        VmKinds.words().forEach(word -> {
            apis.add(VmKinds.of(word).builderApi());
            apis.add(VmKinds.of(word).vmApi());
        });
        apis.addAll(List.of(
                VcpuHandle.API,
                ExitsHandle.API,
                KvmRunHandle.API,
                TdpTable.API,
                TdpEntry.API,
                TdpRange.API,
                SlotsView.API,
                SlotHandle.API,
                AttributesView.API,
                Cell.API,
                GmemHandle.API,
                MmHandle.API,
                StatsHandle.API,
                LocksView.API,
                MachineSnapshot.API,
                TdVcpuHandle.API,
                SnpVcpuHandle.API,
                PspHandle.API,
                SeptView.API,
                SeptCell.API,
                PamtView.API,
                TdxPlatformHandle.API,
                FirmwareView.API,
                KernelView.API,
                InitramfsView.API,
                TdcsView.API,
                LedgerView.API,
                Rmp.API,
                RmpSlot.API,
                Ledger.API));
        return List.copyOf(apis);
    }
}
