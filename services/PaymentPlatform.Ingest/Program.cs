var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddIngest();

var app = builder.Build();
app.UseProblemAnswers();
app.MapDefaultEndpoints();
app.MapIngest();
app.Run();
