using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using AuditCli.Collectors;
using AuditCli.Controls;
using AuditCli.Evidence;

namespace AuditCli.Tests;

/// <summary>Checks the architecture rules against the assemblies and the source tree.</summary>
public sealed class ArchitectureTests
{
    private static readonly Assembly Evidence = typeof(EvidenceItem).Assembly;
    private static readonly Assembly Controls = typeof(Control).Assembly;
    private static readonly Assembly Collectors = typeof(ICollector).Assembly;
    private static readonly Assembly Program = typeof(Composition).Assembly;

    [Fact]
    public void Controls_and_collectors_never_see_each_other()
    {
        Assert.DoesNotContain(Controls.GetReferencedAssemblies(), a => a.Name == "AuditCli.Collectors");
        Assert.DoesNotContain(Collectors.GetReferencedAssemblies(), a => a.Name == "AuditCli.Controls");
    }

    [Fact]
    public void Evidence_stands_on_the_base_class_library_alone() =>
        Assert.All(Evidence.GetReferencedAssemblies(), a => Assert.StartsWith("System.", a.Name, StringComparison.Ordinal));

    [Fact]
    public void Only_collectors_know_a_cloud_sdk() =>
        Assert.All([Evidence, Controls, Program], assembly => Assert.DoesNotContain(
            assembly.GetReferencedAssemblies(),
            a => new[] { "AWSSDK", "Google", "Kubernetes" }.Any(sdk => a.Name!.StartsWith(sdk, StringComparison.Ordinal))));

    [Fact]
    public void Every_collector_is_in_the_catalogue()
    {
        var written = Collectors.GetTypes().Where(t => t.IsClass && typeof(ICollector).IsAssignableFrom(t)).Select(t => t.Name).Order();
        Assert.Equal(written, CollectorCatalog.All.Select(c => c.Implementation.Name).Order());
    }

    [Fact]
    public void Every_collector_can_be_called() => Assert.Equal(
        CollectorCatalog.All.Select(c => c.Source.Name),
        Composition.Root(AuditCommand.Host("/")).Subcommands.Single(c => c.Name == "call").Subcommands.Select(c => c.Name));

    [Fact]
    public void No_static_state_can_change() => Assert.All(
        StaticFields(),
        field => Assert.True(field.IsInitOnly || field.IsLiteral || IsGenerated(field), $"{field.DeclaringType}.{field.Name} can be assigned"));

    [Fact]
    public void No_static_collection_can_change() => Assert.All(
        StaticFields().Where(f => !IsGenerated(f)),
        field => Assert.False(
            field.FieldType.IsGenericType
                && new[] { typeof(List<>), typeof(Dictionary<,>), typeof(HashSet<>) }.Contains(field.FieldType.GetGenericTypeDefinition()),
            $"{field.DeclaringType}.{field.Name} is a collection that can be changed"));

    [Fact]
    public void Public_records_cannot_be_changed() => Assert.All(
        OwnTypes().Where(t => t.IsPublic && IsRecord(t))
            .SelectMany(t => t.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)),
        property =>
        {
            var setter = property.SetMethod;
            Assert.True(
                setter is null || setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)),
                $"{property.DeclaringType}.{property.Name} can be set");
            Assert.False(
                typeof(IList).IsAssignableFrom(property.PropertyType) && !property.PropertyType.Name.StartsWith("Immutable", StringComparison.Ordinal),
                $"{property.DeclaringType}.{property.Name} is a collection that can be changed");
        });

    [Fact]
    public void The_top_level_is_the_one_agreed()
    {
        string[] agreed = ["src", "tests", "controls", "samples", "README.md", "AuditCli.sln", "Directory.Build.props", "LICENSE"];
        var found = Directory.EnumerateFileSystemEntries(Repository.Root).Select(Path.GetFileName)
            .Where(n => !n!.StartsWith('.') && n is not ("bundles" or "TestResults"));
        Assert.Equal(agreed.Order(), found.Order());
    }

    [Fact]
    public void No_file_of_code_holds_two_ideas() => Assert.All(
        FilesOfCode(), file => Assert.True(File.ReadLines(file).Count() <= 400, $"{file} has more than 400 lines"));

    /// <summary>Lines inside raw strings are free: they are JSON, YAML, SQL or a style sheet of their own.</summary>
    [Fact]
    public void No_line_of_code_has_more_than_160_characters() => Assert.All(FilesOfCode(), file =>
    {
        var isRaw = false;
        foreach (var (line, number) in File.ReadLines(file).Select((l, i) => (l, i + 1)))
        {
            var quotes = line.Split("\"\"\"").Length - 1;
            Assert.True(line.Length <= 160 || isRaw || quotes > 0, $"{file}:{number} has {line.Length} characters");
            isRaw ^= quotes % 2 == 1;
        }
    });

    /// <summary>
    /// Checks that bundles are read only through <c>BundleFolder</c>. A file opened any other way is not compared with the manifest.
    /// </summary>
    [Fact]
    public void What_reads_a_bundle_opens_its_files_at_one_place_alone()
    {
        string[] written =
        [
            "Bundles/BundleFolder.cs",             // the one place
            "Reperformance/BundleQuestions.cs",    // copies files read there
            "Reperformance/RecordedTimes.cs",      // reads those copies
            "Reperformance/ReportComparison.cs",   // writes reports to its own folder
            "Reperformance/Reperformed.cs",        // deletes its own folder
        ];
        string[] folders = ["Bundles", "Lookup", "Diff", "Reports", "Reperformance", "Coverage"];
        var files = folders.SelectMany(f => Directory.EnumerateFiles(Repository.Path("src", "AuditCli", f), "*.cs", SearchOption.AllDirectories))
            .Concat(new[] { "Show", "Query", "Diff", "Reperform", "Report", "Coverage" }
                .Select(c => Repository.Path("src", "AuditCli", "Commands", $"{c}Command.cs")))
            .Where(f => !written.Any(w => f.Replace('\\', '/').EndsWith(w, StringComparison.Ordinal))).ToArray();
        Assert.True(files.Length > 50, $"only {files.Length} files were found");
        Assert.All(files, file => Assert.DoesNotMatch(
            @"\bFile\.(Open|Read)|\bBundleFile\.|\bDirectory\.(Enumerate|Get)|FileMode\.Open\b|new (TableReader|RecordedExchanges)\((path|Path|file)\)"
                + @"|EvidenceIndex\.Read\(bundle",
            File.ReadAllText(file)));
    }

    private static IEnumerable<string> FilesOfCode() => new[] { "src", "tests" }
        .SelectMany(f => Directory.EnumerateFiles(Repository.Path(f), "*.cs", SearchOption.AllDirectories))
        .Where(f => !f.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules"));

    private static IEnumerable<Type> OwnTypes() => new[] { Evidence, Controls, Collectors, Program }.SelectMany(a => a.GetTypes())
        .Where(t => !t.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)
            && t.DeclaringType?.IsDefined(typeof(CompilerGeneratedAttribute), false) is not true
            && !t.Name.StartsWith('<'));

    private static IEnumerable<FieldInfo> StaticFields() => OwnTypes().SelectMany(
        t => t.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly));

    private static bool IsGenerated(FieldInfo field) =>
        (field.Name.StartsWith('<') || field.IsDefined(typeof(CompilerGeneratedAttribute), false))
        && !field.Name.Contains(">k__BackingField", StringComparison.Ordinal);

    private static bool IsRecord(Type type) => type.GetMethod("<Clone>$") is not null;
}
