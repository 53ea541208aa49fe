var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddBlobArchiver();

var app = builder.Build();
app.UseProblemAnswers();
app.UseAccess();
app.MapDefaultEndpoints();
app.MapBlobArchiver();
return app.RunService();
