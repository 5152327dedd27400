package dsaring

//go:generate sh -c "cd ../asm && go run ./dsaneon -out ../dsaring"
