namespace AuditCli.Tests;

/// <summary>Compares output with approved files. <c>AUDITCLI_APPROVE=1</c> rewrites them; read the result before committing it.</summary>
public static class Golden
{
    public static void Matches(string name, string actual)
    {
        var file = Repository.Path("tests", "AuditCli.Tests", "Golden", name);
        if (Environment.GetEnvironmentVariable("AUDITCLI_APPROVE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }
        Assert.True(File.Exists(file), $"{file} is not approved yet: AUDITCLI_APPROVE=1 dotnet test, then read it");
        Assert.Equal(File.ReadAllText(file), actual);
    }
}
