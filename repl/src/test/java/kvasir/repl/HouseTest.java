package kvasir.repl;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The arrows of the house point down only. */
@AnalyzeClasses(packages = "kvasir", importOptions = ImportOption.DoNotIncludeTests.class)
final class HouseTest {
    @ArchTest
    static void storeys(JavaClasses house) {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
                .layer("event")
                .definedBy("kvasir.event..")
                .layer("registry")
                .definedBy("kvasir.registry..")
                .layer("metal")
                .definedBy("kvasir.metal..")
                .layer("kvm")
                .definedBy("kvasir.kvm..")
                .layer("vmm")
                .definedBy("kvasir.vmm..")
                .layer("grammar")
                .definedBy("kvasir.grammar..")
                .layer("scripts")
                .definedBy("kvasir.scripts..")
                .layer("repl")
                .definedBy("kvasir.repl..")
                .whereLayer("event")
                .mayNotAccessAnyLayer()
                .whereLayer("registry")
                .mayOnlyAccessLayers("event")
                .whereLayer("metal")
                .mayOnlyAccessLayers("event", "registry")
                .whereLayer("kvm")
                .mayOnlyAccessLayers("metal", "event", "registry")
                .whereLayer("vmm")
                .mayOnlyAccessLayers("kvm", "metal", "event", "registry")
                .whereLayer("grammar")
                .mayNotAccessAnyLayer()
                .whereLayer("scripts")
                .mayOnlyAccessLayers("grammar", "vmm", "kvm", "metal", "event", "registry")
                .whereLayer("repl")
                .mayOnlyAccessLayers("scripts", "grammar", "event", "registry")
                .check(house);
    }

    @ArchTest
    static void roomsOfMetal(JavaClasses house) {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
                .layer("memory")
                .definedBy("kvasir.metal.memory..")
                .layer("paging")
                .definedBy("kvasir.metal.paging..")
                .layer("cpu")
                .definedBy("kvasir.metal.cpu..")
                .layer("tdx")
                .definedBy("kvasir.metal.tdx..")
                .layer("snp")
                .definedBy("kvasir.metal.snp..")
                .whereLayer("memory")
                .mayNotAccessAnyLayer()
                .whereLayer("paging")
                .mayOnlyAccessLayers("memory")
                .whereLayer("cpu")
                .mayOnlyAccessLayers("memory", "paging")
                .whereLayer("tdx")
                .mayOnlyAccessLayers("memory", "paging", "cpu")
                .whereLayer("snp")
                .mayOnlyAccessLayers("memory", "paging", "cpu")
                .check(house);
    }

    @ArchTest
    static void noCyclesBetweenPackages(JavaClasses house) {
        slices().assignedFrom(new OneSliceAPackage()).should().beFreeOfCycles().check(house);
    }

    /**
     * Every package is a slice of its own, but three houses are one each: the kernel, since a VM has a guest_memfd and the
     * guest_memfd has a VM, as in its own headers; the processor, since its instruction table asks its CPUID which
     * instructions exist; and the script engine, since its two languages call each other and its front doors open on
     * rooms that speak of them.
     */
    private static final class OneSliceAPackage implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
            String name = javaClass.getPackageName();
            for (String house : List.of("kvasir.kvm", "kvasir.metal.cpu", "kvasir.scripts")) {
                if (name.startsWith(house)) {
                    return SliceIdentifier.of(house);
                }
            }
            return SliceIdentifier.of(name);
        }

        @Override
        public String getDescription() {
            return "packages; the kernel, the processor and the script engine as one each";
        }
    }

    @Test
    void everyPackageSaysWhatLivesThere() throws IOException {
        var without = new ArrayList<String>();
        int packages = 0;
        for (Path sources : sourceRoots()) {
            for (Path folder : packageFolders(sources)) {
                packages++;
                Path info = folder.resolve("package-info.java");
                String text = Files.exists(info) ? Files.readString(info) : "";
                if (!text.contains("@NullMarked") || !text.contains("Glossary")) {
                    without.add(sources.relativize(folder).toString());
                }
            }
        }
        assertTrue(packages >= 7, "packages found: " + packages);
        assertEquals(List.of(), without, "packages without a package-info that has a Glossary and @NullMarked");
    }

    private static List<Path> sourceRoots() {
        return Stream.of("grammar", "runtime", "scripts", "repl")
                .map(module -> Path.of("..", module, "src", "main", "java"))
                .filter(Files::isDirectory)
                .toList();
    }

    private static List<Path> packageFolders(Path sources) throws IOException {
        try (Stream<Path> walk = Files.walk(sources)) {
            return walk.filter(file -> file.toString().endsWith(".java"))
                    .map(Path::getParent)
                    .distinct()
                    .sorted()
                    .toList();
        }
    }
}
