package kvasir.metal.tdx;

import java.util.ArrayList;
import java.util.List;
import kvasir.metal.tdx.Field.Access;

/**
 * Metadata fields of a vCPU (TDVPS and its VMCS): TDH.VP.RD/WR. A VMCS field's code is its VMCS encoding; the VMCS page
 * keeps the few that a production TD's host may write.
 */
final class VpFields {
    /** Offsets in the VMCS page. */
    static final int NOTIFICATION_VECTOR = 0x00;

    static final int PI_DESCRIPTOR = 0x08;
    static final int SHARED_EPTP = 0x10;
    static final int PIN_BASED = 0x18;
    static final int SECONDARY_PROCBASED = 0x20;
    static final int NOTIFY_WINDOW = 0x28;

    static final FieldTable<Tdvps> TABLE = new FieldTable<>(table());

    private VpFields() {}

    private static List<Field<Tdvps>> table() {
        var rows = new ArrayList<Field<Tdvps>>();
        rows.add(vmcs("NOTIFICATION_VECTOR", 0x0024000100000002L, NOTIFICATION_VECTOR, Access.writable(0xffff)));
        rows.add(vmcs("PI_DESCRIPTOR", 0x0024000300002016L, PI_DESCRIPTOR, Access.READ_WRITE));
        rows.add(vmcs("SHARED_EPTP", 0x002400030000203CL, SHARED_EPTP, Access.READ_WRITE));
        rows.add(vmcs("PIN_BASED", 0x0024000200004000L, PIN_BASED, Access.writable(1 << 7)));
        rows.add(vmcs("SECONDARY_PROCBASED", 0x002400020000401EL, SECONDARY_PROCBASED, Access.writable(3L << 30)));
        rows.add(vmcs("NOTIFY_WINDOW", 0x0024000200004024L, NOTIFY_WINDOW, Access.writable(0xffff_ffffL)));
        rows.add(tdvps("PEND_NMI", 0x202000000000000BL, Tdvps.PEND_NMI, Access.writable(1)));
        rows.add(tdvps("VCPU_INDEX", 0xA020000200000002L, Tdvps.VCPU_INDEX, Access.READ));
        rows.add(tdvps("ASSOC_LPID", 0xA020000200000004L, Tdvps.ASSOC_LPID, Access.READ));
        rows.add(tdvps("VCPU_EPOCH", 0xA020000300000006L, Tdvps.VCPU_EPOCH, Access.READ));
        rows.add(tdvps("VCPU_STATE_DETAILS", 0x9120000300000100L, Tdvps.VCPU_STATE_DETAILS, Access.READ));
        return rows;
    }

    private static Field<Tdvps> tdvps(String name, long id, int offset, Access host) {
        return new Field<>(name, id, 1, host, Access.NONE, (vcpu, i) -> vcpu.u64(offset), (vcpu, store) -> {
            vcpu.setU8(offset, (int) store.value());
        });
    }

    private static Field<Tdvps> vmcs(String name, long id, int offset, Access host) {
        return new Field<>(
                name,
                id,
                1,
                host,
                Access.NONE,
                (vcpu, i) -> vcpu.memory().read64(vcpu.vmcs() + offset),
                (vcpu, store) -> vcpu.memory().write64(vcpu.vmcs() + offset, store.value()));
    }
}
