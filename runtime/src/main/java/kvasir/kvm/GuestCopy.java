package kvasir.kvm;

/** KVM's own accesses to a guest's memory, through its slots and the VMM's mapping (kvm_main.c, 6.16). */
final class GuestCopy {
    private GuestCopy() {}

    /**
     * kvm_vcpu_read_guest or kvm_vcpu_write_guest, in the address space in force.
     *
     * @param data what is read or written, from its first byte on
     * @return false if part of it has no slot, one under deletion or, for a write, a read-only one, or no mapping behind it
     */
    static boolean copy(Vcpu vcpu, long gpa, byte[] data, int bytes, boolean write) {
        Vm vm = vcpu.vm();
        for (int done = 0; done < bytes; ) {
            long at = gpa + done;
            int chunk = (int) Math.min(bytes - done, 4096 - (at & 4095));
            Memslot slot = vm.memslots(vcpu.addressSpace()).lookup(at >>> 12);
            if (!slot.exists() || slot.invalid() || write && slot.readonly()) {
                return false;
            }
            long hva = slot.hva(at >>> 12) + (at & 4095);
            if (!(write ? vm.mm().write(hva, data, done, chunk) : vm.mm().read(hva, data, done, chunk))) {
                return false;
            }
            if (write) {
                vm.markDirty(vcpu, slot, at >>> 12);
            }
            done += chunk;
        }
        return true;
    }
}
