package kvasir.kvm;

import java.util.ArrayList;
import java.util.List;
import kvasir.event.Events;
import kvasir.kvm.mm.Mm;

/** One virtual machine (struct kvm). */
public final class Vm {
    /** KVM_X86_QUIRK_SLOT_ZAP_ALL. */
    public static final long QUIRK_SLOT_ZAP_ALL = 1L << 7;

    /** KVM_X86_QUIRK_IGNORE_GUEST_PAT. */
    public static final long QUIRK_IGNORE_GUEST_PAT = 1L << 9;

    private final Kvm kvm;
    private final String name;
    private final VmType type;
    private final Mm mm;
    private final KernelLock kvmLock;
    private final KernelLock slotsLock;
    private final KernelLock slotsArchLock;
    private final KernelLock mmuLock;
    private final InvalidateState invalidate = new InvalidateState(() -> bug("mmu_invalidate_in_progress is negative"));
    private final MemoryAttributes attributes = new MemoryAttributes();
    private final Memslots[] active;
    private final Memslots[] inactive;
    private final List<Vcpu> vcpus = new ArrayList<>();
    private final Mmu mmu;
    private long quirks = QUIRK_SLOT_ZAP_ALL | QUIRK_IGNORE_GUEST_PAT;
    private boolean preFaultAllowed;
    private boolean dead;
    private long remoteTlbFlushes;

    /**
     * KVM_CREATE_VM.
     *
     * @param name how scripts call it; it prefixes lock and topic names
     * @param mm the creating process's address space
     */
    public Vm(Kvm kvm, String name, VmType type, Mm mm) {
        this.kvm = kvm;
        this.name = name;
        this.type = type;
        this.mm = mm;
        kvmLock = lock("kvm.lock");
        slotsLock = lock("slots_lock");
        slotsArchLock = lock("slots_arch_lock");
        mmuLock = lock("mmu_lock");
        active = new Memslots[type.addressSpaces()];
        inactive = new Memslots[type.addressSpaces()];
        for (int as = 0; as < active.length; as++) {
            active[as] = new Memslots(as);
            inactive[as] = new Memslots(as);
        }
        preFaultAllowed = !type.hasProtectedState();
        mmu = kvm.mmus().apply(this);
        kvm.add(this);
    }

    private KernelLock lock(String kind) {
        return new KernelLock(name + "." + kind, kvm.seams(), kvm.events());
    }

    public Kvm kvm() {
        return kvm;
    }

    /** How scripts call it. */
    public String name() {
        return name;
    }

    public VmType type() {
        return type;
    }

    /** The VMM process's address space. */
    public Mm mm() {
        return mm;
    }

    public Events events() {
        return kvm.events();
    }

    public Seams seams() {
        return kvm.seams();
    }

    /** kvm-&gt;lock. */
    public KernelLock kvmLock() {
        return kvmLock;
    }

    /** Serialises changes of slots and attributes, dirty-log ioctls and guest_memfd release. */
    public KernelLock slotsLock() {
        return slotsLock;
    }

    /** Guards what architecture code hangs on slots. */
    public KernelLock slotsArchLock() {
        return slotsArchLock;
    }

    /** Guards page tables and {@link #invalidate()}. */
    public KernelLock mmuLock() {
        return mmuLock;
    }

    /** The invalidation protocol's state. */
    public InvalidateState invalidate() {
        return invalidate;
    }

    /** Private or shared, by gfn. */
    public MemoryAttributes attributes() {
        return attributes;
    }

    /** The published slots of an address space: 0 normal, 1 SMM. */
    public Memslots memslots(int addressSpace) {
        return active[addressSpace];
    }

    /** vCPUs in order of creation. */
    public List<Vcpu> vcpus() {
        return List.copyOf(vcpus);
    }

    public Mmu mmu() {
        return mmu;
    }

    /** Whether a quirk has not been disabled (kvm_check_has_quirk). */
    public boolean hasQuirk(long quirk) {
        return (quirks & quirk) != 0;
    }

    /** kvm-&gt;arch.pre_fault_allowed: always for unprotected state; after launch for SNP and TDX. */
    public boolean preFaultAllowed() {
        return preFaultAllowed;
    }

    /** The vendor has finished the launch. */
    public void allowPreFault() {
        preFaultAllowed = true;
    }

    /** vm_bugged or vm_dead: every ioctl answers EIO. */
    public boolean dead() {
        return dead;
    }

    /** KVM_BUG_ON: marks the VM bugged and dead and asks every vCPU to stop. */
    public void bug(String reason) {
        dead = true;
        makeAllVcpusRequest(Requests.VM_DEAD);
        if (events().listening()) {
            events().emit(new VmEvent.Bugged(name, reason));
        }
    }

    /** kvm_make_all_cpus_request. */
    public void makeAllVcpusRequest(int request) {
        for (Vcpu vcpu : vcpus) {
            vcpu.requests().make(request);
        }
    }

    /** kvm_flush_remote_tlbs_range: every vCPU forgets its translations before it runs again. */
    public void flushRemoteTlbs(long startGfn, long endGfn) {
        remoteTlbFlushes++;
        makeAllVcpusRequest(Requests.TLB_FLUSH);
        if (events().listening()) {
            events().emit(new VmEvent.TlbFlush(name, startGfn, endGfn));
        }
    }

    /** Number of calls of {@link #flushRemoteTlbs}. */
    public long remoteTlbFlushes() {
        return remoteTlbFlushes;
    }

    /** mark_page_dirty_in_slot: the page's bit, if the slot has a bitmap, or an entry in the running vCPU's ring. */
    public void markDirty(Memslot slot, long gfn) {
        if (slot.logsDirty()) {
            slot.dirty().ifPresent(bitmap -> bitmap.set(gfn - slot.baseGfn()));
        }
    }
}
