using System.Diagnostics;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Tests what the catalogue's generator accepts and what makes it stop, with models that are not part of botocore.</summary>
public sealed class GeneratorTests
{
    [NeedsFact("botocore")]
    public async Task The_catalogue_is_exactly_what_the_generator_makes_of_botocore()
    {
        var (code, said) = await GenerateAsync("--check");

        Assert.True(code == 0, said);
        Assert.Equal("changed: nothing", said.Trim());
    }

    [NeedsTheory("botocore")]
    [InlineData("GetThing", """{"Name": {"shape": "Text"}, "CreatedAt": {"shape": "Text"}}""", null)]
    [InlineData("DeleteThing", """{"Password": {"shape": "Text"}}""", null)]
    [InlineData("GetThing", """{"Name": {"shape": "Text"}, "RootPassword": {"shape": "Text"}}""", "its member RootPassword")]
    [InlineData("GetThing", """{"Inner": {"shape": "Inner"}}""", "its member Inner.SigningPrivateKey")]
    [InlineData("GetThingSecret", """{"Name": {"shape": "Text"}}""", "its name")]
    [InlineData("GetDownloadUrl", """{"Address": {"shape": "Text"}}""", "its name")]
    [InlineData("GetRecords", """{"Rows": {"shape": "Text"}}""", "its name")]
    [InlineData("GetThing", """{"Name": {"shape": "Text"}, "name": {"shape": "Text"}}""", "column names differ only by case: name")]
    [InlineData("ListThings", """{"Things": {"shape": "Texts"}, "IsTruncated": {"shape": "Flag"}}""", "nothing says how to read on")]
    public async Task A_new_operation_that_is_not_clearly_a_read_stops_the_generator(string name, string members, string? fault)
    {
        using var models = new TemporaryFolder();
        var folder = Directory.CreateDirectory(Path.Combine(models.Path, "invented", "2026-01-01")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "service-2.json"), $$$$"""
            {
              "metadata": {"protocol": "json", "apiVersion": "2026-01-01", "endpointPrefix": "invented", "serviceId": "Invented"},
              "operations": {"{{{{name}}}}": {"name": "{{{{name}}}}", "http": {"method": "POST", "requestUri": "/"}, "output": {"shape": "Answer"}}},
              "shapes": {
                "Answer": {"type": "structure", "members": {{{{members}}}}},
                "Inner": {"type": "structure", "members": {"SigningPrivateKey": {"shape": "Text"}}},
                "Texts": {"type": "list", "member": {"shape": "Text"}},
                "Text": {"type": "string"},
                "Flag": {"type": "boolean"}
              }
            }
            """);

        var (code, said) = await GenerateAsync("--models", models.Path);

        Assert.Equal(fault is null ? 0 : 1, code);
        if (fault is not null)
        {
            Assert.Contains($"invented:{name}", said, StringComparison.Ordinal);
            Assert.Contains(fault, said, StringComparison.Ordinal);
        }
    }

    private static async Task<(int Code, string Said)> GenerateAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("python3") { RedirectStandardOutput = true, RedirectStandardError = true };
        // Without this, Python would write compiled files next to the sources.
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        foreach (var argument in (string[])[Repository.Path("src", "AuditCli.Collectors", "Aws", "Catalogue", "generate.py"), .. arguments])
            start.ArgumentList.Add(argument);
        using var python = Process.Start(start)!;
        var output = python.StandardOutput.ReadToEndAsync();
        var errors = python.StandardError.ReadToEndAsync();
        await python.WaitForExitAsync();
        return (python.ExitCode, await output + await errors);
    }
}
