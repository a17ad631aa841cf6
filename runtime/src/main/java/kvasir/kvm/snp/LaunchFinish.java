package kvasir.kvm.snp;

import java.util.Optional;
import kvasir.registry.Bytes;

/**
 * The payload of KVM_SEV_SNP_LAUNCH_FINISH.
 *
 * @param idBlock 96 bytes, with id_block_en
 * @param idAuthentication 4096 bytes, with id_block_en
 * @param authorKey auth_key_en
 * @param vcekDisabled vcek_disabled
 * @param hostData 32 bytes
 * @param flags must be 0
 */
public record LaunchFinish(
        Optional<Bytes> idBlock,
        Optional<Bytes> idAuthentication,
        boolean authorKey,
        boolean vcekDisabled,
        Bytes hostData,
        int flags) {
    /** Without identity and with zero host data. */
    public static LaunchFinish plain() {
        return new LaunchFinish(Optional.empty(), Optional.empty(), false, false, Bytes.of(new byte[32]), 0);
    }
}
