package kvasir.kvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** struct kvm_run and the PIO page after it, as bytes at the offsets of the ABI (6.1, 6.2). */
public final class KvmRun {
    /** Bytes mapped by mmap of the vCPU fd (KVM_GET_VCPU_MMAP_SIZE). */
    public static final int MMAP_BYTES = 12288;

    private static final int EXIT_REASON = 8;
    private static final int READY = 12;
    private static final int IF_FLAG = 13;
    private static final int FLAGS = 14;
    private static final int CR8 = 16;
    private static final int APIC_BASE = 24;
    private static final int VALID_REGS = 288;
    private static final int DIRTY_REGS = 296;
    private static final int FLAG_SMM = 1;
    private static final int FLAG_BUS_LOCK = 1 << 1;
    private static final int FLAG_GUEST_MODE = 1 << 2;
    private static final int UNION = 32;
    private static final int PIO_DATA = 4096;
    private static final int HYPERCALL_RET = 88;
    private static final int TDX_RET = 48;
    private static final int TDX_GET_TD_VM_CALL_INFO = 0x10000;
    private static final int TDX_GET_QUOTE = 0x10002;
    private static final int TDX_SETUP_EVENT_NOTIFY = 0x10004;

    private static final int RING = 8192;

    private final byte[] bytes = new byte[RING];
    private final ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);

    /** The third page, which all vCPUs of a VM share. */
    private final ByteBuffer ring;

    /** @param ring the page of coalesced MMIO */
    KvmRun(ByteBuffer ring) {
        this.ring = ring;
    }

    /** exit_reason. */
    public int exitReason() {
        return view.getInt(EXIT_REASON);
    }

    /** Writes exit_reason. */
    public void setExitReason(int reason) {
        view.putInt(EXIT_REASON, reason);
    }

    /** flags: KVM_RUN_X86_SMM is bit 0. */
    public int flags() {
        return get16(FLAGS);
    }

    /** immediate_exit, byte 1. */
    public boolean immediateExit() {
        return bytes[1] != 0;
    }

    /** Writes exit_reason. */
    public void setExitReason(ExitReason reason) {
        setExitReason(reason.number());
    }

    /** request_interrupt_window, byte 0: user space wants to be told when the guest can take an interrupt. */
    public boolean interruptWindowRequested() {
        return bytes[0] != 0;
    }

    /** cr8, as user space wants the guest to have it where the local APIC is user space's. */
    public long cr8() {
        return get64(CR8);
    }

    /** Sets what {@link #cr8} tells. */
    public void setCr8(long value) {
        put64(CR8, value);
    }

    /** kvm_valid_regs: which of the register structs KVM_RUN leaves behind. */
    long validRegs() {
        return get64(VALID_REGS);
    }

    /** kvm_dirty_regs: which of the register structs KVM_RUN takes over. */
    long dirtyRegs() {
        return get64(DIRTY_REGS);
    }

    /** kvm_dirty_regs becomes 0: they were taken over. */
    void regsTaken() {
        put64(DIRTY_REGS, 0);
    }

    /** flags becomes 0, as KVM_RUN begins. */
    void clearFlags() {
        put16(FLAGS, 0);
    }

    /** KVM_RUN_X86_BUS_LOCK. */
    void setBusLock() {
        put16(FLAGS, get16(FLAGS) | FLAG_BUS_LOCK);
    }

    /** post_kvm_run_save. */
    void saveState(boolean ifFlag, boolean ready, long cr8, long apicBase, boolean smm, boolean guestMode) {
        put8(READY, ready ? 1 : 0);
        put8(IF_FLAG, ifFlag ? 1 : 0);
        setCr8(cr8);
        put64(APIC_BASE, apicBase);
        put16(FLAGS, get16(FLAGS) | (smm ? FLAG_SMM : 0) | (guestMode ? FLAG_GUEST_MODE : 0));
    }

    /** KVM_EXIT_NOTIFY; bit 0: the guest's state is lost. */
    void notifyWindow(boolean contextInvalid) {
        setExitReason(ExitReason.NOTIFY);
        put32(UNION, contextInvalid ? 1 : 0);
    }

    /** The exit reason by name. */
    public ExitReason reason() {
        return ExitReason.of(exitReason());
    }

    /** kvm_prepare_memory_fault_exit: exit_reason 39, flags, gpa, size. */
    public void memoryFault(long gpa, long size, boolean isPrivate) {
        setExitReason(ExitReason.MEMORY_FAULT);
        put64(UNION, isPrivate ? MemoryAttributes.PRIVATE : 0);
        put64(UNION + 8, gpa);
        put64(UNION + 16, size);
    }

    /** KVM_EXIT_IO of one element. */
    public void io(boolean in, int bytes, int port, int value) {
        setExitReason(ExitReason.IO);
        put8(UNION, in ? 0 : 1);
        put8(UNION + 1, bytes);
        put16(UNION + 2, port);
        put32(UNION + 4, 1);
        put64(UNION + 8, PIO_DATA);
        put32(PIO_DATA, value);
    }

    /** KVM_EXIT_IO of {@code count} elements, whose bytes are in the data page for OUT. */
    public void io(boolean in, int bytes, int port, int count, byte[] data) {
        io(in, bytes, port, 0);
        put32(UNION + 4, count);
        for (int i = 0; i < bytes * count; i++) {
            put8(PIO_DATA + i, in ? 0 : data[i]);
        }
    }

    /** Byte {@code index} of the data page, which ends with kvm_run's mapping. */
    public byte ioByte(int index) {
        return (byte) get8(PIO_DATA + index);
    }

    /** KVM_EXIT_FAIL_ENTRY. */
    public void failEntry(long reason, int cpu) {
        setExitReason(ExitReason.FAIL_ENTRY);
        put64(UNION, reason);
        put32(UNION + 8, cpu);
    }

    /** io.direction is KVM_EXIT_IO_IN. */
    public boolean ioIn() {
        return get8(UNION) == 0;
    }

    /** io.size: 1, 2 or 4. */
    public int ioBytes() {
        return get8(UNION + 1);
    }

    /** io.port. */
    public int ioPort() {
        return get16(UNION + 2);
    }

    /** What IN or OUT transfers: the data page. */
    public int ioData() {
        return get32(PIO_DATA);
    }

    /** What IN is to read. */
    public void setIoData(int value) {
        put32(PIO_DATA, value);
    }

    /** KVM_EXIT_MMIO. */
    public void mmio(long gpa, int bytes, boolean write) {
        setExitReason(ExitReason.MMIO);
        put64(UNION, gpa);
        put32(UNION + 16, bytes);
        put8(UNION + 20, write ? 1 : 0);
    }

    /** mmio.phys_addr. */
    public long mmioGpa() {
        return get64(UNION);
    }

    /** mmio.len: 1 to 8. */
    public int mmioBytes() {
        return get32(UNION + 16);
    }

    /** mmio.is_write. */
    public boolean mmioWrite() {
        return get8(UNION + 20) != 0;
    }

    /** mmio.data as a little-endian number. */
    public long mmioData() {
        return get64(UNION + 8);
    }

    /** What an MMIO read is to see. */
    public void setMmioData(long value) {
        put64(UNION + 8, value);
    }

    /**
     * KVM_EXIT_X86_RDMSR or KVM_EXIT_X86_WRMSR.
     *
     * @param reason 1 invalid, 2 unknown, 4 filtered
     * @param value what WRMSR writes; 0 for RDMSR
     */
    void msr(boolean write, int reason, int index, long value) {
        setExitReason(write ? ExitReason.X86_WRMSR : ExitReason.X86_RDMSR);
        put64(UNION, 0);
        put32(UNION + 8, reason);
        put32(UNION + 12, index);
        put64(UNION + 16, value);
    }

    /** Whether user space wants the guest to get #GP for its MSR access. */
    public boolean msrError() {
        return get8(UNION) != 0;
    }

    /** Sets what {@link #msrError} tells. */
    public void setMsrError(boolean error) {
        put8(UNION, error ? 1 : 0);
    }

    /** What the guest's RDMSR gets, or its WRMSR wrote. */
    public long msrData() {
        return get64(UNION + 16);
    }

    /** Sets what the guest's RDMSR gets. */
    public void setMsrData(long value) {
        put64(UNION + 16, value);
    }

    /** KVM_EXIT_HYPERCALL; ret starts as 0. */
    public void hypercall(long number, long gpa, long pages, long attributes, boolean longMode) {
        setExitReason(ExitReason.HYPERCALL);
        put64(UNION, number);
        put64(UNION + 8, gpa);
        put64(UNION + 16, pages);
        put64(UNION + 24, attributes);
        put64(HYPERCALL_RET, 0);
        put64(UNION + 64, longMode ? 1 : 0);
    }

    /** KVM_EXIT_TDX: flags 0, nr, ret and what else the sub-function has, in the order of the union. */
    public void tdx(long function, long ret, long... data) {
        setExitReason(ExitReason.TDX);
        put64(UNION, 0);
        put64(UNION + 8, function);
        put64(TDX_RET, ret);
        for (int i = 0; i < data.length; i++) {
            setTdxData(i, data[i]);
        }
    }

    /** tdx.nr: the sub-function. */
    public long tdxFunction() {
        return get64(UNION + 8);
    }

    /** tdx.*.ret: what the guest finds in R10. */
    public long tdxRet() {
        return get64(TDX_RET);
    }

    /** Writes tdx.*.ret. */
    public void setTdxRet(long ret) {
        put64(TDX_RET, ret);
    }

    /** What stands behind ret: number {@code index}, from 0. */
    public long tdxData(int index) {
        return get64(TDX_RET + 8 + 8 * index);
    }

    /** Writes what stands behind ret. */
    public void setTdxData(int index, long value) {
        put64(TDX_RET + 8 + 8 * index, value);
    }

    /** hypercall.ret. */
    public long hypercallRet() {
        return get64(HYPERCALL_RET);
    }

    /** What the guest finds in RAX. */
    public void setHypercallRet(long value) {
        put64(HYPERCALL_RET, value);
    }

    /** KVM_EXIT_DEBUG: struct kvm_debug_exit_arch. */
    public void debug(int exception, long pc, long dr6, long dr7) {
        setExitReason(ExitReason.DEBUG);
        put32(UNION, exception);
        put64(UNION + 8, pc);
        put64(UNION + 16, dr6);
        put64(UNION + 24, dr7);
    }

    /** KVM_EXIT_INTERNAL_ERROR. */
    public void internalError(int suberror, long... data) {
        setExitReason(ExitReason.INTERNAL_ERROR);
        put32(UNION, suberror);
        put32(UNION + 4, data.length);
        for (int i = 0; i < data.length; i++) {
            put64(UNION + 8 + 8 * i, data[i]);
        }
    }

    /** KVM_EXIT_TPR_ACCESS. */
    void tprAccess(long rip, boolean write) {
        setExitReason(ExitReason.TPR_ACCESS);
        put64(UNION, rip);
        put32(UNION + 8, write ? 1 : 0);
    }

    /** KVM_EXIT_IOAPIC_EOI. */
    void ioapicEoi(int vector) {
        setExitReason(ExitReason.IOAPIC_EOI);
        put8(UNION, vector);
    }

    /** KVM_EXIT_SYSTEM_EVENT. */
    public void systemEvent(int type, long... data) {
        setExitReason(ExitReason.SYSTEM_EVENT);
        put32(UNION, type);
        put32(UNION + 4, data.length);
        for (int i = 0; i < data.length; i++) {
            put64(UNION + 8 + 8 * i, data[i]);
        }
    }

    /** The fields of the exit's union that mean something, by the names of the ABI and in its order. */
    public Map<String, ?> fields() {
        var fields = new LinkedHashMap<String, Object>();
        switch (reason()) {
            case IO -> {
                fields.put("port", (long) get16(UNION + 2));
                fields.put("size", (long) get8(UNION + 1));
                fields.put("direction", get8(UNION) == 0 ? "in" : "out");
                fields.put("count", Integer.toUnsignedLong(get32(UNION + 4)));
                fields.put("data_offset", get64(UNION + 8));
                fields.put("data", Integer.toUnsignedLong(ioData()));
            }
            case MMIO -> {
                fields.put("gpa", get64(UNION));
                fields.put("len", (long) get32(UNION + 16));
                fields.put("is_write", get8(UNION + 20) != 0);
                fields.put("data", mmioData());
            }
            case HYPERCALL -> {
                fields.put("nr", get64(UNION));
                fields.put("gpa", get64(UNION + 8));
                fields.put("npages", get64(UNION + 16));
                fields.put("attributes", get64(UNION + 24));
                fields.put("ret", hypercallRet());
                fields.put("flags", get64(UNION + 64));
            }
            case MEMORY_FAULT -> {
                fields.put("gpa", get64(UNION + 8));
                fields.put("size", get64(UNION + 16));
                fields.put("flags", get64(UNION));
                fields.put("private", (get64(UNION) & MemoryAttributes.PRIVATE) != 0);
            }
            case INTERNAL_ERROR -> {
                fields.put("suberror", (long) get32(UNION));
                fields.put("ndata", (long) get32(UNION + 4));
                for (int i = 0; i < get32(UNION + 4); i++) {
                    fields.put("data" + i, get64(UNION + 8 + 8 * i));
                }
            }
            case DEBUG -> {
                fields.put("exception", (long) get32(UNION));
                fields.put("pc", get64(UNION + 8));
                fields.put("dr6", get64(UNION + 16));
                fields.put("dr7", get64(UNION + 24));
            }
            case SYSTEM_EVENT -> {
                fields.put("type", (long) get32(UNION));
                fields.put("ndata", (long) get32(UNION + 4));
                for (int i = 0; i < get32(UNION + 4); i++) {
                    fields.put("data" + i, get64(UNION + 8 + 8 * i));
                }
            }
            case TDX -> {
                fields.put("nr", tdxFunction());
                fields.put("ret", tdxRet());
                List<String> names = tdxNames();
                for (int i = 0; i < names.size(); i++) {
                    fields.put(names.get(i), tdxData(i));
                }
            }
            case FAIL_ENTRY -> {
                fields.put("reason", get64(UNION));
                fields.put("cpu", (long) get32(UNION + 8));
            }
            case TPR_ACCESS -> {
                fields.put("rip", get64(UNION));
                fields.put("is_write", get32(UNION + 8) != 0);
            }
            case IOAPIC_EOI -> fields.put("vector", (long) get8(UNION));
            case NOTIFY -> fields.put("flags", (long) get32(UNION));
            case X86_RDMSR, X86_WRMSR -> {
                fields.put("reason", Integer.toUnsignedLong(get32(UNION + 8)));
                fields.put("index", Integer.toUnsignedLong(get32(UNION + 12)));
                fields.put("data", get64(UNION + 16));
            }
            default -> {}
        }
        return fields;
    }

    private List<String> tdxNames() {
        return switch ((int) tdxFunction()) {
            case TDX_GET_TD_VM_CALL_INFO -> List.of("leaf", "r11", "r12", "r13", "r14");
            case TDX_GET_QUOTE -> List.of("gpa", "size");
            case TDX_SETUP_EVENT_NOTIFY -> List.of("vector");
            default -> List.of();
        };
    }

    private ByteBuffer page(int offset) {
        return offset < RING ? view : ring;
    }

    /** One byte at an offset of the ABI, 0 to 255. */
    public int get8(int offset) {
        return page(offset).get(offset % RING) & 0xff;
    }

    public void put8(int offset, int value) {
        page(offset).put(offset % RING, (byte) value);
    }

    public int get16(int offset) {
        return page(offset).getShort(offset % RING) & 0xffff;
    }

    public void put16(int offset, int value) {
        page(offset).putShort(offset % RING, (short) value);
    }

    public int get32(int offset) {
        return page(offset).getInt(offset % RING);
    }

    public void put32(int offset, int value) {
        page(offset).putInt(offset % RING, value);
    }

    public long get64(int offset) {
        return page(offset).getLong(offset % RING);
    }

    public void put64(int offset, long value) {
        page(offset).putLong(offset % RING, value);
    }

    long fingerprint() {
        return java.util.Arrays.hashCode(bytes);
    }

    Runnable checkpoint() {
        byte[] saved = bytes.clone();
        return () -> System.arraycopy(saved, 0, bytes, 0, bytes.length);
    }
}
