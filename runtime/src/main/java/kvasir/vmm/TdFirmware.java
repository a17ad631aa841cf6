package kvasir.vmm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.tdx.MemRegion;
import kvasir.kvm.tdx.TdxCmd;
import kvasir.kvm.tdx.TdxVm;
import kvasir.registry.Guest;

/**
 * The smallest firmware that brings a TD vCPU from its reset state (32-bit protected mode at 0xfffffff0, no paging) to an
 * {@code asm64} program: code in the last page below 4 GiB, and five pages behind the program: PML4, PDPT, GDT, stack and
 * a PDPT for shared memory. Linear addresses below 512 GiB are private and identity mapped; those from 512 GiB on are the
 * same addresses with the SHARED bit.
 */
final class TdFirmware {
    private static final int PAGE = 4096;
    private static final long RESET_PAGE = 0xffff_f000L;
    private static final int MEASURE = 1;
    private static final long TABLE = 0x23;
    private static final long HUGE_PAGE = 0xe3;
    private static final int LONG_MODE_AT = 0x80;
    private static final int DESCRIPTOR_AT = 0xf0;
    private static final int RESET_VECTOR_AT = 0xff0;

    private TdFirmware() {}

    /** Adds and measures all of it with KVM_TDX_INIT_MEM_REGION. */
    static IoctlResult add(TdxVm td, Vcpu vcpu, Guest guest, long at) {
        byte[] code = guest.assembledAt(at).toArray();
        long tables = at + code.length + PAGE - 1 & -PAGE;
        IoctlResult result = add(td, vcpu, at & -PAGE, padded(code, (int) (at & PAGE - 1)));
        if (result.succeeded()) {
            result = add(td, vcpu, tables, systemPages(tables, td.gfnDirectBits() << 12));
        }
        return result.succeeded() ? add(td, vcpu, RESET_PAGE, resetPage(tables, at)) : result;
    }

    private static byte[] padded(byte[] code, int offset) {
        var pages = new byte[(offset + code.length + PAGE - 1) & -PAGE];
        System.arraycopy(code, 0, pages, offset, code.length);
        return pages;
    }

    private static IoctlResult add(TdxVm td, Vcpu vcpu, long gpa, byte[] content) {
        Mm mm = td.vm().mm();
        long pages = content.length / PAGE;
        long hva = mm.mmap(Optional.empty(), 0, pages, Mm.anonymous(false));
        mm.write(hva, content, 0, content.length);
        IoctlResult result = td.initMemRegion(vcpu, new MemRegion(hva, gpa, pages), TdxCmd.flags(MEASURE));
        mm.munmap(hva, hva + content.length);
        return result;
    }

    private static byte[] systemPages(long tables, long sharedBit) {
        ByteBuffer out = ByteBuffer.allocate(5 * PAGE).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(0, tables + PAGE | TABLE);
        out.putLong(8, tables + 4 * PAGE | TABLE);
        for (int i = 0; i < 512; i++) {
            out.putLong(PAGE + 8 * i, (long) i << 30 | HUGE_PAGE);
            out.putLong(4 * PAGE + 8 * i, (long) i << 30 | sharedBit | HUGE_PAGE);
        }
        out.putLong(2 * PAGE + 0x08, 0x00af_9b00_0000_ffffL);
        out.putLong(2 * PAGE + 0x10, 0x00cf_9300_0000_ffffL);
        return out.array();
    }

    private static byte[] resetPage(long tables, long entry) {
        ByteBuffer out = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        out.put(bytes(0x0f, 0x01, 0x15)).putInt((int) (RESET_PAGE + DESCRIPTOR_AT)); // lgdt [descriptor]
        out.put(bytes(0xb8)).putInt((int) tables); // mov eax, PML4
        out.put(bytes(0x0f, 0x22, 0xd8)); // mov cr3, eax
        out.put(bytes(0x0f, 0x20, 0xe0, 0x0d, 0x20, 0x06, 0, 0, 0x0f, 0x22, 0xe0)); // cr4 |= PAE, OSFXSR
        out.put(bytes(0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0)); // cr0 |= PG
        out.put(bytes(0xea)).putInt((int) (RESET_PAGE + LONG_MODE_AT)).putShort((short) 8); // jmp 8:long mode
        out.position(LONG_MODE_AT);
        out.put(bytes(0xb8, 0x10, 0, 0, 0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0)); // ds = es = ss = 16
        out.put(bytes(0x48, 0xbc)).putLong(tables + 4 * PAGE); // mov rsp, end of stack
        out.put(bytes(0x48, 0xb8)).putLong(entry); // mov rax, entry
        out.put(bytes(0xff, 0xe0)); // jmp rax
        out.putShort(DESCRIPTOR_AT, (short) 0x17);
        out.putInt(DESCRIPTOR_AT + 2, (int) (tables + 2 * PAGE));
        out.put(RESET_VECTOR_AT, (byte) 0xe9); // jmp start of the page
        out.putInt(RESET_VECTOR_AT + 1, -(RESET_VECTOR_AT + 5));
        return out.array();
    }

    private static byte[] bytes(int... values) {
        var out = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            out[i] = (byte) values[i];
        }
        return out;
    }
}
