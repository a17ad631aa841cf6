package kvasir.vmm.launch;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.SevLaunch;
import kvasir.registry.Bytes;

/**
 * What QEMU gives a plain SEV or SEV-ES guest at launch: the firmware image, the hash table of a direct kernel boot, and
 * for SEV-ES the vCPUs.
 *
 * @param data for LAUNCH_UPDATE_DATA, in order
 * @param vmsas for LAUNCH_UPDATE_VMSA
 */
public record SevLaunchPlan(List<Bytes> data, List<Bytes> vmsas) {
    public SevLaunchPlan {
        data = List.copyOf(data);
        vmsas = List.copyOf(vmsas);
    }

    /** Plain SEV: no vCPU is measured. */
    public static SevLaunchPlan sev(OvmfImage firmware, Optional<DirectBoot> boot) throws LaunchRefused {
        return new SevLaunchPlan(data(firmware, boot), List.of());
    }

    /** SEV-ES: the same, then a VMSA with SEV_FEATURES 0 for each vCPU. */
    public static SevLaunchPlan sevEs(OvmfImage firmware, Optional<DirectBoot> boot, int vcpus, int signature)
            throws LaunchRefused {
        var vmsas = new ArrayList<Bytes>();
        for (int vcpu = 0; vcpu < vcpus; vcpu++) {
            int eip = vcpu == 0
                    ? VmsaImage.RESET_VECTOR
                    : firmware.resetEip()
                            .orElseThrow(() -> new LaunchRefused("the firmware has no reset block for more vCPUs"));
            vmsas.add(VmsaImage.of(VmmType.QEMU, eip, signature, 0));
        }
        return new SevLaunchPlan(data(firmware, boot), vmsas);
    }

    private static List<Bytes> data(OvmfImage firmware, Optional<DirectBoot> boot) throws LaunchRefused {
        var data = new ArrayList<Bytes>();
        data.add(firmware.content());
        if (boot.isPresent()) {
            if (firmware.hashTableGpa().isEmpty()) {
                throw new LaunchRefused("a kernel was given, but the firmware has no hash table");
            }
            data.add(KernelHashes.table(boot.get()));
        }
        return data;
    }

    /** The launch digest after all of it, 32 bytes. */
    public Bytes run() throws LaunchRefused {
        var launch = new SevLaunch();
        for (Bytes part : data) {
            check(launch.updateData(part));
        }
        for (Bytes vmsa : vmsas) {
            check(launch.updateVmsa(vmsa));
        }
        return launch.finish();
    }

    private static void check(FirmwareStatus status) throws LaunchRefused {
        if (status != FirmwareStatus.SUCCESS) {
            throw new LaunchRefused("LAUNCH_UPDATE returned " + status);
        }
    }
}
