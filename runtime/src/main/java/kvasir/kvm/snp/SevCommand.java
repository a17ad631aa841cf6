package kvasir.kvm.snp;

import java.util.Optional;
import java.util.stream.Stream;
import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;

/** Commands of KVM_MEMORY_ENCRYPT_OP by their ids (uapi/asm/kvm.h, enum sev_cmd_id), as far as KVM handles them. */
public enum SevCommand {
    INIT(0),
    ES_INIT(1),
    LAUNCH_START(2),
    LAUNCH_UPDATE_DATA(3),
    LAUNCH_UPDATE_VMSA(4),
    LAUNCH_SECRET(5),
    LAUNCH_MEASURE(6),
    LAUNCH_FINISH(7),
    SEND_START(8),
    SEND_UPDATE_DATA(9),
    SEND_FINISH(11),
    RECEIVE_START(12),
    RECEIVE_UPDATE_DATA(13),
    RECEIVE_FINISH(15),
    GUEST_STATUS(16),
    DBG_DECRYPT(17),
    DBG_ENCRYPT(18),
    GET_ATTESTATION_REPORT(20),
    SEND_CANCEL(21),
    INIT2(22),
    SNP_LAUNCH_START(100),
    SNP_LAUNCH_UPDATE(101),
    SNP_LAUNCH_FINISH(102);

    private final int id;

    SevCommand(int id) {
        this.id = id;
    }

    /** Its number in struct kvm_sev_cmd. */
    public int id() {
        return id;
    }

    /** The command with this number. */
    public static Optional<SevCommand> of(long id) {
        return Stream.of(values()).filter(command -> command.id == id).findFirst();
    }

    /** Whether it is one of the commands that make a VM of the default type a SEV guest. */
    boolean initialises() {
        return this == INIT || this == ES_INIT;
    }

    static IoctlResult unknown(long id) {
        return IoctlResult.err(Errno.EINVAL, "sev_mem_enc_ioctl: unknown command " + id);
    }
}
